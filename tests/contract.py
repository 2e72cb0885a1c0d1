"""schemathesis against the whole API: the application in this process, on a database with tasks.

It reads the OpenAPI document that is served, makes examples, borders and random requests of it, and
judges the answers: no failure of the server, no status that is not documented, bodies, types and
headers as described, no wrong request taken for a good one. Credentials are the access table's.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from django.core.wsgi import get_wsgi_application
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from orchestration.api.query import UUID_TEXT
from orchestration.models import WorkflowStep
from orchestration.testing import diamond
from tests.access_table import World, make_world
from tests.factories.ticks import run_step, start

PHASES = ("examples", "coverage", "fuzzing")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
)
REAL_SHARE = 0.7
"""Of how many cases well-formed ids and names are replaced by those of something real."""


@dataclass(slots=True)
class Run:
    """What a run did and found."""

    cases: Counter[str] = field(default_factory=Counter)  # by phase
    statuses: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)  # that succeeded at least once
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        cases = ", ".join(f"{count} {phase}" for phase, count in self.cases.items())
        statuses = ", ".join(f"{count} x {code}" for code, count in sorted(self.statuses.items()))
        return f"{self.cases.total()} cases ({cases}); answers: {statuses}"


def make_worlds() -> list[World]:
    """Insert tasks in several states, with steps and investigations, and say how to reach them."""
    blocked = [make_world() for _ in range(6)]
    running = []
    for _ in range(6):
        task = start(diamond())
        run_step()
        step = WorkflowStep.objects.get(task=task.task_uuid, name="left")
        running.append(
            World(str(task.task_uuid), str(step.pk), blocked[0].entry_uuid, "test", name="diamond")
        )
    return [*blocked, *running]


def run_contract(
    worlds: list[World], *, credential: str, most_cases: int, phases: tuple[str, ...] = PHASES
) -> Run:
    """Send at most so many random cases for each operation, and the others of the phases."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "headers": {"Authorization": f"Bearer {credential}"},
            "workers": 1,
            "continue-on-failure": True,
            "generation": {
                "max-examples": most_cases,
                "deterministic": True,
                "database": "none",
                "no-shrink": True,
                "with-security-parameters": False,
            },
            "checks": {"enabled": False, **{name: {"enabled": True} for name in CHECKS}},
            "phases": {
                **{name: {"enabled": name in phases} for name in PHASES},
                "stateful": {"enabled": False},
            },
        }
    )
    schema = schemathesis.openapi.from_wsgi(
        "/api-docs/openapi.json",
        _application(),
        config=config,
        headers={"Authorization": f"Bearer {credential}"},
    )
    run = Run()
    with _real_ids(worlds):
        for event in from_schema(schema).execute():
            _note(run, event)
    return run


@contextmanager
def _real_ids(worlds: list[World]) -> Iterator[None]:
    """Send cases to what there is, while this lasts; the hook knows no narrower scope."""
    real = _Real(worlds)

    def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
        real.put_into(case)

    schemathesis.hook(before_call)
    try:
        yield
    finally:
        schemathesis.hooks.unregister(before_call)


def _application() -> Callable[..., list[bytes]]:
    """Return the application; it closes each response as a server does, which ends the request."""
    django = get_wsgi_application()

    def answer(environ: Any, start_response: Any) -> list[bytes]:
        response = django(environ, start_response)
        try:
            return [b"".join(response)]
        finally:
            response.close()

    return answer


class _Real:
    """Puts ids and names of what there is in the place of well-formed ones that nothing has."""

    def __init__(self, worlds: list[World]) -> None:
        self._worlds = worlds
        self._chance = random.Random(1)  # noqa: S311 not a secret

    def put_into(self, case: Any) -> None:
        """Change a case in place."""
        if self._chance.random() > REAL_SHARE:
            return
        world = self._chance.choice(self._worlds)._asdict()
        for name, value in (case.path_parameters or {}).items():
            is_malformed = name.endswith("_uuid") and not UUID_TEXT.fullmatch(str(value))
            if name in world and not is_malformed:
                case.path_parameters[name] = world[name]
        for body in self._requests_of(case):
            if isinstance(body.get("name"), str):
                body.update(name=world["name"], namespace=world["namespace"])
                body.pop("version", None)

    @staticmethod
    def _requests_of(case: Any) -> list[dict[str, Any]]:
        """Return the requests for tasks in the body of a case."""
        body = case.body if isinstance(case.body, dict) else {}
        many = body.get("tasks")
        found = {
            "POST /v1/tasks": [body],
            "POST /v1/tasks/bulk": many if isinstance(many, list) else [],
        }
        return [each for each in found.get(case.operation.label, []) if isinstance(each, dict)]


def _note(run: Run, event: Any) -> None:
    if isinstance(event, events.NonFatalError):
        run.findings.append(f"{event.label}: {event.info.format()}")
    if isinstance(event, events.FatalError):
        run.findings.append(f"the run broke off: {event.exception!r}")
    if not isinstance(event, events.ScenarioFinished):
        return
    run.cases[event.phase.value] += len(event.recorder.interactions)
    for interaction in event.recorder.interactions.values():
        if interaction.response is None:
            continue
        run.statuses[interaction.response.status_code] += 1
        if interaction.response.status_code < 300:
            run.operations.add(event.recorder.label)
    run.findings += _failures(event)


def _failures(event: Any) -> Iterator[str]:
    """Yield what was judged wrong, each with the request and the answer."""
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if check.status != Status.FAILURE or check.failure_info is None:
                continue
            failure = check.failure_info.failure
            response = event.recorder.find_response(case_id=case_id)
            answer = f"{response.status_code} {response.text[:500]}" if response else "no answer"
            yield (
                f"{event.recorder.label} ({event.phase.value}, {check.name}): {failure.title}\n"
                f"  {failure.message[:500]}\n  {check.failure_info.code_sample[:500]}\n  {answer}"
            )
