"""Builds that are wrong on purpose: the injector has to notice each. The product does not change.

What is wrong stands in the database of the run (a function replaced by a copy with one change) and
in its worker processes (one function wrapped), named by the variable CHAOS_BREAK.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from tests.processes import PROJECT

FUNCTIONS = PROJECT / "orchestration" / "sql" / "functions"
Reported = dict[UUID, Any]

BUILDS = {
    "delete-before-report": "a worker deletes the message of a step before its report commits",
    "no-fencing": "a report is accepted whoever holds the step by now",
    "send-outside-transaction": "the result message is sent after the report has committed",
}

CHANGES: dict[str, list[tuple[str, str, str]]] = {
    "delete-before-report": [],
    "no-fencing": [
        ("tasker_lock_claims", "        AND x.state_version = c.state_version\n", ""),
        ("tasker_report_steps", "        AND x.state_version = r.state_version\n", ""),
        (
            "tasker_report_steps",
            "r.step_uuid = ANY(coalesce(v_accepted, '{}'))",
            "true",
        ),
        (
            "tasker_report_steps",
            "r.step_uuid = ANY(v_accepted),",
            "true,",
        ),
    ],
    "send-outside-transaction": [
        (
            "tasker_report_steps",
            "PERFORM pgmq_send_batch_with_notify('orchestration_step_results', v_messages);",
            "NULL;",
        ),
    ],
}
"""Function, what it says, what the broken build says instead."""

SEND_LATER = """
CREATE FUNCTION chaos_send_results(p_steps uuid[]) RETURNS void LANGUAGE sql AS $$
  SELECT count(pgmq_send_with_notify('orchestration_step_results', jsonb_build_object(
    'task_uuid', s.task_uuid, 'step_uuid', s.workflow_step_uuid, 'attempt', s.attempts,
    'correlation_id', t.correlation_id, 'state_version', s.state_version)))
  FROM tasker_workflow_steps AS s JOIN tasker_tasks AS t USING (task_uuid)
  WHERE s.workflow_step_uuid = ANY(p_steps)
$$;
CREATE FUNCTION chaos_delete_messages(p_steps uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_queue record;
BEGIN
  FOR v_queue IN SELECT * FROM tasker_live_messages(p_steps) LOOP
    PERFORM pgmq.delete(v_queue.queue, v_queue.msg_ids);
  END LOOP;
END $$;
"""


def break_database(build: str) -> None:
    """Replace functions of this run's database; raise when the product no longer says so."""
    changed: dict[str, str] = {}
    for name, said, instead in CHANGES[build]:
        source = changed.get(name) or (FUNCTIONS / f"{name}_v01.sql").read_text()
        if said not in source:
            raise RuntimeError(f"{name} has changed; tests/chaos/broken.py looks for:\n{said}")
        changed[name] = source.replace(said, instead)
    with connections["default"].cursor() as cursor:
        for source in (*changed.values(), SEND_LATER):
            cursor.execute(source)


def patch_worker() -> None:
    """Break this worker process, if the run wants that; called when its handlers are loaded."""
    wrap = WRAPPERS.get(os.environ.get("CHAOS_BREAK", ""))
    if wrap is None:
        return
    from orchestration.queries import steps

    setattr(steps, "report_steps", wrap(steps.report_steps))  # noqa: B010 - a patch on purpose


def _deletes_first(report: Callable[..., Reported]) -> Callable[..., Reported]:
    def report_steps(reports: Sequence[Any], *, advance: int = 0) -> Reported:
        _call("chaos_delete_messages", [each.step_uuid for each in reports])
        return report(reports, advance=advance)

    return report_steps


def _sends_later(report: Callable[..., Reported]) -> Callable[..., Reported]:
    def report_steps(reports: Sequence[Any], *, advance: int = 0) -> Reported:
        answers = report(reports)  # all by message: what is sent too late is what is tried here
        accepted = [step for step, answer in answers.items() if answer.accepted]
        transaction.on_commit(lambda: _call("chaos_send_results", accepted))
        return answers

    return report_steps


def _call(function: str, steps: Sequence[UUID]) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s::uuid[])", [list(steps)])


WRAPPERS = {"delete-before-report": _deletes_first, "send-outside-transaction": _sends_later}
