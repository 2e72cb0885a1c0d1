"""A step: one node of a task's graph, its ten-state machine, and the edges between steps.

The moves are declared here once (engine.md 3.4). `state_version` is also the fencing token of a
claim: a report, heartbeat or checkpoint counts only while the row still shows the version that the
claim returned.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from orchestration.conf import BACKOFF_STRATEGIES
from orchestration.fsm import RETURN_VALUE, StateField, Stateful, transition
from orchestration.models.one_of import one_of
from orchestration.models.task import Task
from orchestration.states import IN_FLIGHT_STEP_STATES, StepState, StepType
from templates_registry.models import NamedStep, Timestamped, UuidV7

S = StepState
UNFINISHED = [S.PENDING, *sorted(IN_FLIGHT_STEP_STATES), S.WAITING_FOR_RETRY, S.ERROR]


def is_retry_left(step: "WorkflowStep") -> bool:
    """Tell whether the step's own counters allow another attempt (engine.md 8.1)."""
    return step.attempts == 0 or (step.retryable and step.attempts < step.max_attempts)


class WorkflowStep(Stateful):
    """One node of a task's graph."""

    workflow_step_uuid = models.UUIDField(primary_key=True, db_default=UuidV7(), editable=False)
    task = models.ForeignKey(
        Task,
        on_delete=models.CASCADE,
        db_column="task_uuid",
        related_name="steps",
        db_index=False,  # the unique constraint begins with it
    )
    named_step = models.ForeignKey(
        NamedStep,
        on_delete=models.PROTECT,
        db_column="named_step_uuid",
        related_name="steps",
        # Step types stay with the registry, and the check would lock one row for all who create.
        db_constraint=False,
        db_index=False,  # every move of a step would write it, and nobody asks
    )
    name = models.CharField(max_length=128)
    step_type = models.CharField(
        max_length=24, choices=StepType.choices, db_default=StepType.STANDARD
    )
    state = StateField(
        max_length=40, choices=S.choices, default=S.PENDING, db_default=S.PENDING, protected=True
    )
    priority = models.IntegerField(db_default=0)
    skippable = models.BooleanField(db_default=False)
    retryable = models.BooleanField(db_default=True)
    max_attempts = models.IntegerField(db_default=3)
    attempts = models.IntegerField(db_default=0)
    backoff_strategy = models.CharField(max_length=16, null=True, blank=True)  # noqa: DJ001
    backoff_base_ms = models.IntegerField(null=True, blank=True)
    max_backoff_ms = models.IntegerField(null=True, blank=True)
    timeout_seconds = models.IntegerField(null=True, blank=True)
    last_attempted_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    backoff_request_seconds = models.FloatField(null=True, blank=True)
    next_retry_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    queue_msg_id = models.BigIntegerField(null=True, blank=True)
    requeue_count = models.IntegerField(db_default=0)
    inputs = models.JSONField(null=True, blank=True)
    results = models.JSONField(null=True, blank=True)
    checkpoint = models.JSONField(null=True, blank=True)
    origin_step = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_column="origin_step_uuid",
        related_name="created_steps",
        db_index=False,  # a partial index serves it
    )
    batch_id = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    batch_index = models.IntegerField(null=True, blank=True)
    batch_count = models.IntegerField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "tasker_workflow_steps"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "name"], name="tasker_step_name_in_task"),
            models.CheckConstraint(name="tasker_step_state", condition=one_of("state", S.values)),
            models.CheckConstraint(
                name="tasker_step_type", condition=one_of("step_type", StepType.values)
            ),
            models.CheckConstraint(
                name="tasker_step_via_at_rest", condition=Q(via__isnull=True) | Q(via__0="#")
            ),
            models.CheckConstraint(
                name="tasker_step_counts",
                condition=Q(attempts__gte=0, max_attempts__gte=0, requeue_count__gte=0),
            ),
            models.CheckConstraint(
                name="tasker_step_backoff_strategy",
                condition=one_of("backoff_strategy", BACKOFF_STRATEGIES, or_null=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_retry_at"],
                condition=Q(
                    state=S.WAITING_FOR_RETRY, retryable=True, attempts__lt=F("max_attempts")
                ),
                name="tasker_step_due",
            ),
            models.Index(
                fields=["lease_until"], condition=Q(state=S.IN_PROGRESS), name="tasker_step_leases"
            ),
            models.Index(
                fields=["origin_step"],
                condition=Q(origin_step__isnull=False),
                name="tasker_step_origin",
            ),
            models.Index(
                fields=["state_entered_at"],
                condition=Q(
                    state__in=[
                        S.ENQUEUED,
                        S.ENQUEUED_FOR_ORCHESTRATION,
                        S.ENQUEUED_AS_ERROR_FOR_ORCHESTRATION,
                    ]
                ),
                name="tasker_step_awaiting",
            ),
        ]

    def __str__(self) -> str:
        return f"step {self.name} ({self.state})"

    # ------------------------------------------------------------ moves of the engine

    @transition(state, source=S.PENDING, target=S.ENQUEUED)
    def enqueue(self) -> None:
        """The step is ready; its message is on the worker queue."""

    @transition(state, source=[S.ENQUEUED, S.PENDING], target=S.IN_PROGRESS)
    def start(self) -> None:
        """A worker claimed the step."""

    @transition(state, source=S.IN_PROGRESS, target=S.ENQUEUED_FOR_ORCHESTRATION)
    def enqueue_for_orchestration(self) -> None:
        """The worker reported a success."""

    @transition(state, source=S.IN_PROGRESS, target=S.ENQUEUED_AS_ERROR_FOR_ORCHESTRATION)
    def enqueue_as_error_for_orchestration(self) -> None:
        """The worker reported a failure."""

    @transition(state, source=S.IN_PROGRESS, target=RETURN_VALUE(S.ENQUEUED, S.ERROR))
    def worker_lost(self) -> StepState:
        """The claim's worker is gone: run again, or fail when no attempt is left."""
        return S.ENQUEUED if is_retry_left(self) else S.ERROR

    @transition(state, source=S.IN_PROGRESS, target=S.ENQUEUED)
    def release(self) -> None:
        """The worker shuts down and hands the step back."""

    @transition(
        state,
        source=[
            S.ENQUEUED_FOR_ORCHESTRATION,
            S.IN_PROGRESS,
            S.ENQUEUED_AS_ERROR_FOR_ORCHESTRATION,
        ],
        target=S.COMPLETE,
    )
    def complete(self) -> None:
        """The result is accepted."""

    @transition(
        state,
        source=[S.PENDING, S.ENQUEUED, S.IN_PROGRESS, S.ENQUEUED_AS_ERROR_FOR_ORCHESTRATION],
        target=S.WAITING_FOR_RETRY,
    )
    def wait_for_retry(self) -> None:
        """The failure may be repeated; back-off runs."""

    @transition(state, source=[S.PENDING, *sorted(IN_FLIGHT_STEP_STATES)], target=S.ERROR)
    def fail(self) -> None:
        """No further attempt will be made."""

    @transition(state, source=S.WAITING_FOR_RETRY, target=S.PENDING)
    @transition(state, source=S.ERROR, target=S.PENDING, conditions=[is_retry_left])
    def retry(self) -> None:
        """The step may run again."""

    # ------------------------------------------------------------ moves of operators

    @transition(state, source=S.ERROR, target=S.PENDING)
    def reset_for_retry(self) -> None:
        """An operator wants the step to run again, with all its attempts."""
        self.attempts = 0
        self.backoff_request_seconds = None

    @transition(state, source=UNFINISHED, target=S.COMPLETE)
    def complete_manually(self) -> None:
        """An operator supplied the result."""

    @transition(state, source=UNFINISHED, target=S.CANCELLED)
    def cancel(self) -> None:
        """The task was called off."""

    @transition(state, source=[*UNFINISHED, S.COMPLETE, S.CANCELLED], target=S.RESOLVED_MANUALLY)
    def resolve_manually(self) -> None:
        """An operator said: treat as done."""


class WorkflowStepEdge(Timestamped):
    """Parent → child: the child may run when every parent is complete or resolved.

    No foreign keys of the database: the statement that writes an edge has just written or read both
    ends, purge deletes edges before steps, and each check would be a statement of its own.
    """

    workflow_step_edge_uuid = models.UUIDField(
        primary_key=True, db_default=UuidV7(), editable=False
    )
    from_step = models.ForeignKey(
        WorkflowStep,
        on_delete=models.CASCADE,
        db_column="from_step_uuid",
        related_name="outgoing_edges",
        db_constraint=False,
        db_index=False,  # the unique constraint begins with it
    )
    to_step = models.ForeignKey(
        WorkflowStep,
        on_delete=models.CASCADE,
        db_column="to_step_uuid",
        related_name="incoming_edges",
        db_constraint=False,
    )
    name = models.CharField(max_length=64, db_default="provides")

    class Meta:
        db_table = "tasker_workflow_step_edges"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["from_step", "to_step", "name"], name="tasker_edge_once"
            ),
            models.CheckConstraint(
                name="tasker_edge_no_loop", condition=~Q(from_step=F("to_step"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_step_id} -> {self.to_step_id}"
