"""Statements about steps: the worker protocol, and what operators do to single steps.

Workers lock steps in uuid order, and before them at most tasks that nobody holds; everybody else
holds the task first (engine.md 4.3). Nothing here opens a transaction.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json

from orchestration import sql
from orchestration.runtime.breaker import MESSAGING, breaker
from orchestration.runtime.failures import is_statement_failing
from orchestration.runtime.queue_use import receiving


class Claim(NamedTuple):
    """One attempt of a step in a worker's hands, with all that its handler needs.

    `msg_id` is None for one that was taken with a report, without a message.
    `state_version` is the fencing token; `attempts` counts this attempt; `dependency_results` holds
    the execution results of ancestors by step name: of all, or, unless `has_all_ancestors`, small
    ones of parents (`ancestor_results` has the rest); `waited_ms` is the age of a message that is
    read for the first time.
    """

    msg_id: int | None
    workflow_step_uuid: UUID
    task_uuid: UUID
    state_version: int
    attempts: int
    max_attempts: int
    retryable: bool
    lease_until: datetime
    name: str
    template_step_name: str
    step_type: str
    timeout_seconds: int | None
    inputs: dict[str, Any] | None
    checkpoint: dict[str, Any] | None
    batch_id: str | None
    batch_index: int | None
    batch_count: int | None
    named_task_uuid: UUID
    named_step_uuid: UUID
    template_digest: str
    namespace: str
    task_name: str
    task_version: str
    context: dict[str, Any]
    tags: list[str]
    priority: int
    initiator: str
    source_system: str
    reason: str
    correlation_id: UUID
    parent_correlation_id: UUID | None
    task_created_at: datetime
    dependency_results: dict[str, dict[str, Any]]
    last_attempted_at: datetime | None
    waited_ms: float | None
    has_all_ancestors: bool = True


JSON_PLACES = [
    Claim._fields.index(name)
    for name in ("inputs", "checkpoint", "context", "tags", "dependency_results")
]


class StepEvent(NamedTuple):
    """A durable domain event that goes out with a report; `message` is its JSON text."""

    event_id: str
    queue: str
    message: str


class StepReport(NamedTuple):
    """What a worker says about a claim; `results` is the JSON text of engine.md 6.3."""

    step_uuid: UUID
    state_version: int
    success: bool
    results: str
    events: tuple[StepEvent, ...] = ()


class Take(NamedTuple):
    """How many of the steps that follow reports are claimed with them, and for how long."""

    take: int | None
    lease_seconds: int


TAKE_NOTHING = Take(None, 0)
"""Others are told of what follows."""


class StepVerdict(NamedTuple):
    """Whether a report was accepted; a refused one is stale and dropped.

    Where its transaction let the task go on, `task_state` is where that left the task, and one of
    the task's reports tells how many steps were enqueued and which of them the worker has claimed
    by that. All are None elsewhere.
    """

    workflow_step_uuid: UUID
    accepted: bool
    task_state: str | None
    enqueued_steps: int | None
    taken_steps: list[UUID] | None


class EventfulVerdict(NamedTuple):
    """A verdict, and why events of the report could not be sent, null for those that were."""

    workflow_step_uuid: UUID
    accepted: bool
    task_state: str | None
    enqueued_steps: int | None
    taken_steps: list[UUID] | None
    event_errors: list[str | None]


class ExtendedLease(NamedTuple):
    """A claim that is still held."""

    workflow_step_uuid: UUID
    lease_until: datetime


class ReleasedStep(NamedTuple):
    """A claim that was handed back."""

    workflow_step_uuid: UUID


class AncestorResult(NamedTuple):
    """The execution result of a step, as JSON text."""

    step_name: str
    results: str


class EnqueuedStep(NamedTuple):
    """A step that went to its queue."""

    task_uuid: UUID
    workflow_step_uuid: UUID
    queue_name: str
    msg_id: int


class LockedStep(NamedTuple):
    """A step in the hands of an operator action."""

    workflow_step_uuid: UUID
    task_uuid: UUID
    name: str
    step_type: str
    state: str
    state_version: int


def claim_steps(
    queue: str,
    *,
    worker_uuid: UUID,
    limit: int,
    lease_seconds: int,
    only: UUID | None = None,
    taken: Sequence[UUID] = (),
) -> list[Claim]:
    """Claim up to `limit` steps of a queue for `lease_seconds`, or `only` this one step.

    Those `taken` with reports in this transaction are returned with them. Raises `CircuitOpenError`
    while the breaker `messaging` is open.
    """
    with breaker(MESSAGING).guard(is_statement_failing), receiving(queue):
        rows = sql.fetch(
            Claim,
            "steps/claim",
            queue=queue,
            worker_uuid=worker_uuid,
            limit=limit,
            lease_seconds=lease_seconds,
            only="{}" if only is None else json.dumps({"step_uuid": str(only)}),
            taken=list(taken),
        )
    return [_with_json_decoded(row) for row in rows]


def _with_json_decoded(row: Claim) -> Claim:
    values: list[Any] = list(row)
    for place in JSON_PLACES:
        if values[place] is not None:
            values[place] = from_json(values[place])
    return Claim._make(values)


def ancestor_results(step_uuid: UUID) -> dict[str, dict[str, Any]]:
    """Return the execution results of all ancestors that are done, by step name, nearest first."""
    rows = sql.fetch(AncestorResult, "steps/ancestor_results", step_uuid=step_uuid)
    return {row.step_name: from_json(row.results) for row in rows}


def extend_leases(
    claims: Iterable[tuple[UUID, int]], *, lease_seconds: int
) -> dict[UUID, datetime]:
    """Prolong claims, given as (step uuid, state version); a missing one is lost."""
    rows = sql.fetch(
        ExtendedLease, "steps/extend_leases", claims=_fenced(claims), lease_seconds=lease_seconds
    )
    return {row.workflow_step_uuid: row.lease_until for row in rows}


def save_checkpoint(
    step_uuid: UUID, *, state_version: int, checkpoint: dict[str, Any], lease_seconds: int = 30
) -> bool:
    """Store a handler's progress and prolong its lease; False when the claim is lost."""
    return bool(
        sql.scalar(
            "steps/save_checkpoint",
            step_uuid=step_uuid,
            state_version=state_version,
            checkpoint=json.dumps(checkpoint),
            lease_seconds=lease_seconds,
        )
    )


def report_steps(
    reports: Sequence[StepReport], *, advance: int = 0, take: Take = TAKE_NOTHING
) -> dict[UUID, StepVerdict]:
    """Store results and tell the orchestrators; return what became of each report.

    The orchestrators need not be told of a success if its task has `advance` steps at most and
    nobody holds it: then the same statement lets the task go on. With `take` the reporting worker
    claims steps that this enqueues, and nobody is told of the others: whoever asks for that reads
    their queue, or calls `announce_steps`.
    """
    rows = sql.fetch(
        StepVerdict,
        "steps/report",
        reports=f"[{','.join(map(_as_json, reports))}]",
        advance=advance,
        **take._asdict(),
    )
    return {row.workflow_step_uuid: row for row in rows}


def report_with_events(
    reports: Sequence[StepReport], *, advance: int = 0, take: Take = TAKE_NOTHING
) -> dict[UUID, EventfulVerdict]:
    """Store results as `report_steps` does, and send the events of accepted ones along.

    An event that cannot be sent changes nothing about its report.
    """
    events = [(report.step_uuid, event) for report in reports for event in report.events]
    rows = sql.fetch(
        EventfulVerdict,
        "steps/report_with_events",
        reports=f"[{','.join(map(_as_json, reports))}]",
        event_steps=[step_uuid for step_uuid, _ in events],
        event_queues=[event.queue for _, event in events],
        event_messages=[event.message for _, event in events],
        advance=advance,
        **take._asdict(),
    )
    return {row.workflow_step_uuid: row for row in rows}


def _as_json(report: StepReport) -> str:
    # The result is JSON text already; building the array by hand avoids parsing it again.
    success = "true" if report.success else "false"
    return (
        f'{{"step_uuid":"{report.step_uuid}","state_version":{report.state_version},'
        f'"success":{success},"results":{report.results}}}'
    )


def release_steps(claims: Iterable[tuple[UUID, int]]) -> list[UUID]:
    """Hand claims back without counting the attempt; return the steps that were still held."""
    rows = sql.fetch(ReleasedStep, "steps/release", claims=_fenced(claims))
    return [row.workflow_step_uuid for row in rows]


def enqueue_ready_steps(
    task_uuids: Sequence[UUID], *, limit: int | None = None, done: Sequence[UUID] | None = None
) -> list[EnqueuedStep]:
    """Put the ready steps of locked tasks on their queues, up to `limit` in flight per task.

    With `done`, steps whose success is all that has changed, those that follow them.
    The breaker `messaging` watches but never refuses: the caller holds a transaction to finish.
    """
    with breaker(MESSAGING).observe(is_statement_failing):
        return sql.fetch(
            EnqueuedStep,
            "steps/enqueue_ready",
            task_uuids=list(task_uuids),
            limit=limit,
            done=None if done is None else list(done),
        )


def announce_steps(queue: str) -> None:
    """Tell the workers of a queue that it holds steps."""
    sql.execute("steps/announce", queue=queue)


def task_of_step(step_uuid: UUID) -> UUID | None:
    """Return the task a step belongs to, None for an unknown step."""
    task_uuid: UUID | None = sql.scalar("steps/task_of_step", step_uuid=step_uuid)
    return task_uuid


def lock_steps(task_uuid: UUID, *, step_uuid: UUID | None = None) -> list[LockedStep]:
    """Lock all steps of a held task, or one of them, in uuid order."""
    return sql.fetch(LockedStep, "steps/lock_steps", task_uuid=task_uuid, step_uuid=step_uuid)


def operate(step_uuids: Sequence[UUID], *, state: str, results: str | None = None) -> int:
    """Move locked steps to `state` by an operator's hand; attempts start anew in `pending`."""
    return sql.execute("steps/operate", step_uuids=list(step_uuids), state=state, results=results)


def delete_messages(step_uuids: Sequence[UUID]) -> None:
    """Delete the live messages of locked steps."""
    sql.execute("steps/delete_messages", step_uuids=list(step_uuids))


def _fenced(claims: Iterable[tuple[UUID, int]]) -> str:
    return json.dumps(
        [{"step_uuid": str(step), "state_version": version} for step, version in claims]
    )
