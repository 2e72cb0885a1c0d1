"""The two statements of the result transaction: take the reports, settle the decisions."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from orchestration import sql
from orchestration.queries.tasks import Move
from orchestration.runtime.breaker import MESSAGING, breaker
from orchestration.runtime.failures import is_statement_failing
from orchestration.runtime.queue_use import receiving

RESULTS = "orchestration_step_results"


class Reported(NamedTuple):
    """A result message with the step it is about; task and step are locked.

    `standing`: live, obsolete (the step has moved on), malformed, unknown_task.
    `orchestration_metadata` is JSON text, only for failures. `waited_ms` is the message's age.
    `is_large`: its task has more steps than `take_results` was told.
    """

    msg_id: int
    task_uuid: UUID
    workflow_step_uuid: UUID
    standing: str
    task_state: str
    step_state: str
    step_type: str
    succeeded: bool
    wants_retry: bool
    attempts: int
    max_attempts: int
    retryable: bool
    backoff_strategy: str | None
    backoff_base_ms: int | None
    max_backoff_ms: int | None
    orchestration_metadata: str | None
    namespace: str
    step_name: str
    waited_ms: float
    named_task_uuid: UUID
    correlation_id: UUID
    task_created_at: datetime
    is_large: bool


class Settlement(NamedTuple):
    """What was decided about a step; `delay_seconds` counts from the failure."""

    step_uuid: UUID
    state: str
    delay_seconds: float | None = None
    failure: str | None = None


def take_results(
    *,
    limit: int,
    move: Move,
    large: int,
    msg_ids: Sequence[int] | None = None,
    task_uuid: UUID | None = None,
) -> list[Reported]:
    """Take result messages off the queue and lock their tasks and steps.

    Up to `limit` of them, or those of `msg_ids`, or all that are about one task. Raises
    `CircuitOpenError` while the breaker `messaging` is open.
    """
    with breaker(MESSAGING).guard(is_statement_failing), receiving(RESULTS):
        return sql.fetch(
            Reported,
            "results/take",
            limit=limit,
            move=move.as_json(),
            msg_ids=None if msg_ids is None else list(msg_ids),
            task_uuid=task_uuid,
            large=large,
        )


def settle_steps(settlements: Sequence[Settlement]) -> datetime | None:
    """Move decided steps in one statement; return the earliest due time of a scheduled retry."""
    due: datetime | None = sql.scalar(
        "results/settle",
        steps=[settlement.step_uuid for settlement in settlements],
        states=[settlement.state for settlement in settlements],
        delays=[settlement.delay_seconds for settlement in settlements],
        failures=[settlement.failure for settlement in settlements],
    )
    return due
