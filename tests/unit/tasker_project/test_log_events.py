"""Names of log events against the contract (api-and-operations 6.4): no sentence, no stray name."""

import ast
import re
from collections.abc import Iterator

from orchestration.lifecycle import outcome_processor, result_processor
from tests.processes import PROJECT

PACKAGES = ("tasker_project", "templates_registry", "orchestration", "workers")
LEVELS = {"debug", "info", "warning", "error", "exception"}
# Events whose name is chosen at run time, where that happens.
CHOSEN = {
    "operator_actions.py": {
        "task.cancelled": "info",
        "task.resolved": "info",
        "task.reset": "info",
        "step.reset": "info",
        "step.resolved": "info",
        "step.completed_manually": "info",
    },
    "request_processor.py": {"message.malformed": "error"},
}
CONTRACT = {
    "info": """task.created task.replayed task.completed task.cancelled task.resolved task.reset
        step.enqueued step.claimed step.succeeded step.completed step.retry_scheduled step.reset
        step.resolved step.completed_manually step.checkpointed step.released decision.applied
        batch.created template.registered dlq.updated key.created key.revoked pool.scaled
        purge.finished process.started process.stopping process.stopped process.status""",
    "debug": "message.sent message.read loop.round lease.extended http.request",
    "warning": """step.failed step.timed_out step.report_stale lease.expired worker.lost
        task.recovered task.conflict listener.disconnected listener.reconnected polling.fallback
        backpressure.rejected breaker.half_open breaker.closed pool.saturated auth.failed
        permission.denied template.revised handler.unresolved domain_event.failed event.dropped
        label.overflow http.slow""",
    "error": """step.failed task.blocked task.failed message.poison message.malformed
        handler.not_found decision.invalid dlq.entry_created breaker.opened loop.failed
        database.lost http.error config.refused""",
}
NAME = re.compile(r"[a-z_]+(\.[a-z_]+)+")


def logged() -> set[tuple[str, str]]:
    """Return every event with its level, as the source says it."""
    found = set(_literal())
    for events in CHOSEN.values():
        found |= set(events.items())
    found |= {(name, _level(level)) for name, level in result_processor._EVENTS.values()}
    found |= {(name, "info") for name in outcome_processor._APPLIED.values()}
    found |= {(name, "error") for name in outcome_processor._INVALID.values()}
    return found


def _level(number: int) -> str:
    return {20: "info", 30: "warning", 40: "error"}[number]


def _literal() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in (PROJECT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (found := _event_of(node)) is not None:
                    yield found


def _event_of(node: ast.AST) -> tuple[str, str] | None:
    """Return event and level of a call `log.info("event", …)` or `log_often(log, "event", …)`."""
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Name) and node.func.id == "log_often":
        return str(ast.literal_eval(node.args[1])), "info"
    if not isinstance(node.func, ast.Attribute):
        return None
    is_log = isinstance(node.func.value, ast.Name) and node.func.value.id == "log"
    if not is_log or node.func.attr not in LEVELS or not isinstance(node.args[0], ast.Constant):
        return None
    level = "error" if node.func.attr == "exception" else node.func.attr
    return str(node.args[0].value), level


def test_every_event_is_a_name_and_no_sentence():
    assert [name for name, _ in logged() if not NAME.fullmatch(name)] == []


def test_every_event_of_the_contract_is_logged_at_its_level():
    wanted = {(name, level) for level, names in CONTRACT.items() for name in names.split()}

    assert wanted - logged() == set()


def test_events_chosen_at_run_time_stand_where_they_are_said_to():
    for file_name, events in CHOSEN.items():
        source = (PROJECT / "orchestration" / "lifecycle" / file_name).read_text("utf-8")
        for name in events:
            stem = name.rpartition(".")[2]
            assert name in source or f'"{stem}"' in source
