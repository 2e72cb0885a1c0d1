"""What a run says at its end: the JSON document, a table, and what an engineer needs to know."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.chaos.judge import KINDS, Finding
from tests.chaos.recovery import BOUND_SECONDS, GROUPS, LOCKED, Recovery, percentile

SHOWN_FINDINGS = 25
SHOWN_TASKS = 3
PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}

HISTORY = """
SELECT * FROM (
  SELECT h.created_at, 'task' AS what, h.sort_key, h.event, h.to_state, h.actor, h.metadata
  FROM tasker_task_transitions AS h WHERE h.task_uuid = %(task)s
  UNION ALL
  SELECT h.created_at, s.name, h.sort_key, h.event, h.to_state, coalesce(w.name, h.actor),
    h.metadata
  FROM tasker_workflow_steps AS s
  JOIN tasker_workflow_step_transitions AS h USING (workflow_step_uuid)
  LEFT JOIN tasker_workers AS w ON w.worker_uuid = h.worker_uuid
  WHERE s.task_uuid = %(task)s
) AS h ORDER BY h.created_at, h.what, h.sort_key
"""
STEPS = """
SELECT s.name, s.state, s.attempts, s.max_attempts, s.requeue_count, s.queue_msg_id, s.lease_until,
  w.name, s.next_retry_at
FROM tasker_workflow_steps AS s LEFT JOIN tasker_workers AS w ON w.worker_uuid = s.claimed_by
WHERE s.task_uuid = %(task)s ORDER BY s.name
"""


@dataclass(frozen=True)
class Outcome:
    """Everything a run has found."""

    seed: int
    plan_digest: str
    tasks: int
    steps: int
    faults: Counter[str]
    findings: Sequence[Finding]
    problems: Sequence[str]
    recoveries: Sequence[Recovery]
    seconds: float
    quiet_seconds: float
    faults_began_at: float
    facts: dict[str, Any]

    @property
    def counts(self) -> dict[str, int]:
        """How much is not as it has to be, by kind."""
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in KINDS}

    def recovery(self, share: float, *, group: str = LOCKED) -> float | None:
        """Return a percentile of the recovery times of one group."""
        return percentile([r.seconds for r in self.recoveries if r.group == group], share)

    @property
    def is_good(self) -> bool:
        """Nothing was found, and what was killed was back in time."""
        slow = self.recovery(0.95) or 0.0
        return not self.findings and not self.problems and slow <= BOUND_SECONDS

    def as_json(self) -> dict[str, Any]:
        """Return the document of `JSON=FILE`."""
        return {
            "tasks": self.tasks,
            "faults": dict(sorted(self.faults.items())),
            **self.counts,
            **{
                f"recovery_{group}{name}_seconds": self.recovery(share, group=group)
                for group in GROUPS
                for name, share in PERCENTILES.items()
            },
            **{
                f"recovery_all_{name}_seconds": percentile(
                    [each.seconds for each in self.recoveries], share
                )
                for name, share in PERCENTILES.items()
            },
            **{
                f"recovery_{group}samples": sum(r.group == group for r in self.recoveries)
                for group in GROUPS
            },
            "processes_died": len(self.problems),
            "steps": self.steps,
            "seed": self.seed,
            "plan": self.plan_digest,
            "duration_seconds": round(self.seconds, 1),
            "quiet_after_seconds": round(self.quiet_seconds, 1),
            **self.facts,
            "is_good": self.is_good,
        }


def table(outcome: Outcome) -> Iterator[str]:
    """Yield the lines of the final table."""
    document = outcome.as_json()
    faults = document.pop("faults")
    yield f"{'faults':34} {sum(faults.values())}"
    for kind, count in faults.items():
        yield f"  {kind:32} {count}"
    for key, value in document.items():
        yield f"{key:34} {'-' if value is None else value}"
    yield "GOOD" if outcome.is_good else "BAD"


def explain(outcome: Outcome, connection: Any) -> Iterator[str]:
    """Yield what is wrong, with steps, history and messages of the first tasks concerned."""
    for problem in outcome.problems:
        yield f"process: {problem}"
    for finding in outcome.findings[:SHOWN_FINDINGS]:
        yield f"{finding.kind}: {finding.task_uuid or ''} {finding.text}"
    if (more := len(outcome.findings) - SHOWN_FINDINGS) > 0:
        yield f"… and {more} more"
    yield from _slow_recoveries(outcome)
    concerned = dict.fromkeys(each.task_uuid for each in outcome.findings if each.task_uuid)
    for task_uuid in list(concerned)[:SHOWN_TASKS]:
        yield from _describe(connection, task_uuid)


def _slow_recoveries(outcome: Outcome) -> Iterator[str]:
    for each in sorted(outcome.recoveries, key=lambda each: each.kill.at):
        if each.seconds > BOUND_SECONDS and each.group == LOCKED:
            yield (
                f"slow: {each.kill.name} was killed at {each.kill.at - outcome.faults_began_at:.1f}"
                f" s, step {each.step.step_uuid} ran again {each.seconds:.1f} s later"
            )


def _describe(connection: Any, task_uuid: UUID) -> Iterator[str]:
    yield f"=== task {task_uuid}"
    for row in connection.execute(STEPS, {"task": task_uuid}).fetchall():
        yield "  step " + " ".join(str(each) for each in row)
    for at, what, key, event, state, actor, metadata in connection.execute(
        HISTORY, {"task": task_uuid}
    ).fetchall():
        yield f"  {at:%H:%M:%S.%f} {what:10} {key:3} {event:32} {state:36} {actor} {metadata}"
    named = "SELECT queue_name, msg_id, read_ct, enqueued_at, vt, message FROM chaos_messages(%s)"
    for row in connection.execute(named, [str(task_uuid)]).fetchall():
        yield "  message " + " ".join(str(each) for each in row)


MESSAGES = """
CREATE FUNCTION chaos_messages(p_task text)
RETURNS TABLE (queue_name text, msg_id bigint, read_ct int, enqueued_at timestamptz,
  vt timestamptz, message jsonb)
LANGUAGE plpgsql AS $$
DECLARE v_queue text;
BEGIN
  FOR v_queue IN SELECT m.queue_name FROM pgmq.meta AS m LOOP
    RETURN QUERY EXECUTE format(
      'SELECT %L::text, q.msg_id, q.read_ct::int, q.enqueued_at, q.vt, q.message
       FROM pgmq.%I AS q WHERE q.message ->> ''task_uuid'' = $1', v_queue, 'q_' || v_queue)
    USING p_task;
  END LOOP;
END $$;
"""
