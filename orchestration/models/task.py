"""A task: one run of a template, and the twelve-state machine it moves through.

The moves are declared here once (engine.md 3.2): method name = event in the history, docstring =
what happened. Single moves go through a method and `record()`; the hot path moves sets of rows in
SQL; the trigger `tasks_moved` judges and records both.
"""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.lookups import Exact

from orchestration.fsm import RETURN_VALUE, StateField, Stateful, transition
from orchestration.models.one_of import is_one_of, one_of, sql_condition
from orchestration.states import HOP_TASK_STATES, TERMINAL_TASK_STATES, TaskState
from templates_registry.models import NamedTask, TaskerNow, TemplateRevision, UuidV7

S = TaskState
TERMINAL = sorted(TERMINAL_TASK_STATES)
UNFINISHED = [state for state in TaskState.values if state not in TERMINAL]
RESTING_UNFINISHED = [state for state in UNFINISHED if state not in HOP_TASK_STATES]

# The order of this number is the order of effective priority (priority + 0.1 an hour of age) at
# any moment, so an index can serve it. Hours count from 2020-01-01 UTC (engine.md 2.2).
SCHEDULE_KEY = (
    "priority - 0.1 * (EXTRACT(EPOCH FROM created_at AT TIME ZONE 'UTC') - 1577836800) / 3600"
)


class TaskQuerySet(models.QuerySet["Task"]):
    """Selections of tasks in the domain's words."""

    def unfinished(self) -> "TaskQuerySet":
        """Keep tasks that are not in a terminal state."""
        return self.exclude(state__in=TERMINAL)

    def blocked(self) -> "TaskQuerySet":
        """Keep tasks that wait for an operator."""
        return self.filter(state=S.BLOCKED_BY_FAILURES)


class Task(Stateful):
    """One run of a template."""

    task_uuid = models.UUIDField(primary_key=True, db_default=UuidV7(), editable=False)
    named_task = models.ForeignKey(
        NamedTask, on_delete=models.PROTECT, db_column="named_task_uuid", related_name="tasks"
    )
    template_revision = models.ForeignKey(
        TemplateRevision,
        on_delete=models.PROTECT,
        db_column="template_revision_uuid",
        related_name="tasks",
    )
    state = StateField(
        max_length=40, choices=S.choices, default=S.PENDING, db_default=S.PENDING, protected=True
    )
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)
    requested_at = models.DateTimeField(db_default=TaskerNow())
    initiator = models.CharField(max_length=255, db_default="unknown")
    source_system = models.CharField(max_length=255, db_default="api")
    reason = models.CharField(max_length=500, db_default="", blank=True)
    context = models.JSONField(db_default={})
    tags = models.JSONField(db_default=[], blank=True)
    bypass_steps = models.JSONField(db_default=[], blank=True)
    options = models.JSONField(null=True, blank=True)
    priority = models.IntegerField(db_default=0)
    schedule_key = models.GeneratedField(
        expression=RawSQL(SCHEDULE_KEY, []),  # noqa: S611 a constant
        output_field=models.FloatField(),
        db_persist=True,
    )
    identity_hash = models.CharField(max_length=128)
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    request_hash = models.CharField(max_length=64)
    correlation_id = models.UUIDField(db_default=UuidV7(), db_index=True)
    parent_correlation_id = models.UUIDField(null=True, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        db_table = "tasker_tasks"
        constraints: ClassVar = [
            # not unique=True, which adds a second index, for LIKE
            models.UniqueConstraint(fields=["identity_hash"], name="tasker_task_identity"),
            models.CheckConstraint(name="tasker_task_state", condition=one_of("state", S.values)),
            models.CheckConstraint(
                name="tasker_task_via_at_rest", condition=Q(via__isnull=True) | Q(via__0="#")
            ),
            models.CheckConstraint(
                name="tasker_task_completed_at",
                condition=sql_condition(
                    f"(completed_at IS NOT NULL) = ({is_one_of('state', TERMINAL)})"
                ),
            ),
            models.CheckConstraint(
                name="tasker_task_context_object",
                condition=Exact(
                    Func(F("context"), function="jsonb_typeof", output_field=TextField()),
                    Value("object"),
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at"], name="tasker_task_newest"),
            # By creation, which never changes: a move from steps_in_process to the same state, one
            # for every step, then writes no index (a HOT update).
            models.Index(
                fields=["state", "created_at"],
                condition=Q(state__in=UNFINISHED),
                name="tasker_task_unfinished",
            ),
            models.Index(
                F("schedule_key").desc(),
                "created_at",
                condition=Q(state__in=[S.PENDING, S.WAITING_FOR_DEPENDENCIES, S.WAITING_FOR_RETRY]),
                name="tasker_task_discovery",
            ),
            models.Index(
                fields=["completed_at"],
                condition=Q(completed_at__isnull=False),
                name="tasker_task_completed",
            ),
            models.Index(
                fields=["parent_correlation_id"],
                condition=Q(parent_correlation_id__isnull=False),
                name="tasker_task_parent",
            ),
            GinIndex(fields=["tags"], name="tasker_task_tags"),
        ]

    def __str__(self) -> str:
        return f"task {self.task_uuid} ({self.state})"

    # ------------------------------------------------------------ moves of the engine

    @transition(state, source=S.PENDING, target=S.INITIALIZING)
    def start(self) -> None:
        """The first ready steps are being sought."""

    @transition(state, source=[S.INITIALIZING, S.EVALUATING_RESULTS], target=S.ENQUEUING_STEPS)
    def ready_steps_found(self) -> None:
        """Steps may run now and go to their queues."""

    @transition(state, source=S.INITIALIZING, target=S.COMPLETE)
    def no_steps_found(self) -> None:
        """There is nothing to run."""

    @transition(
        state,
        source=[S.INITIALIZING, S.EVALUATING_RESULTS],
        target=S.WAITING_FOR_DEPENDENCIES,
    )
    def no_dependencies_ready(self) -> None:
        """Nothing may run now, nothing runs, nothing failed, and the task is not done."""

    @transition(state, source=S.ENQUEUING_STEPS, target=S.STEPS_IN_PROCESS)
    def steps_enqueued(self) -> None:
        """The steps are on their queues."""

    @transition(state, source=S.ENQUEUING_STEPS, target=S.ERROR)
    def enqueue_failed(self) -> None:
        """The steps could not be put on their queues."""

    @transition(state, source=S.STEPS_IN_PROCESS, target=S.EVALUATING_RESULTS)
    def step_completed(self) -> None:
        """At least one of the results handled was a success."""

    @transition(
        state,
        source=S.STEPS_IN_PROCESS,
        target=RETURN_VALUE(S.EVALUATING_RESULTS, S.WAITING_FOR_RETRY),
    )
    def step_failed(self, *, target: TaskState = S.EVALUATING_RESULTS) -> TaskState:
        """All results handled were failures."""
        return target

    @transition(state, source=S.STEPS_IN_PROCESS, target=S.EVALUATING_RESULTS)
    def all_steps_completed(self) -> None:
        """Every step has reported."""

    @transition(
        state,
        source=[
            S.STEPS_IN_PROCESS,
            S.WAITING_FOR_DEPENDENCIES,
            S.WAITING_FOR_RETRY,
            S.BLOCKED_BY_FAILURES,
        ],
        target=S.EVALUATING_RESULTS,
    )
    def reevaluate(self) -> None:
        """A timer or an operator asks what comes next."""

    @transition(state, source=S.STEPS_IN_PROCESS, target=S.COMPLETE)
    def complete(self) -> None:
        """All steps are done, seen without evaluation (imports)."""

    @transition(state, source=S.EVALUATING_RESULTS, target=S.COMPLETE)
    def all_steps_successful(self) -> None:
        """All steps are done."""

    @transition(state, source=S.EVALUATING_RESULTS, target=S.STEPS_IN_PROCESS)
    def steps_in_flight(self) -> None:
        """Others still run; wait for their results."""

    @transition(state, source=S.EVALUATING_RESULTS, target=S.WAITING_FOR_RETRY)
    def retry_scheduled(self) -> None:
        """Nothing runs; at least one step waits for its due time."""

    @transition(state, source=S.EVALUATING_RESULTS, target=S.BLOCKED_BY_FAILURES)
    def permanent_failure(self) -> None:
        """A step failed for good and nothing else can be done."""

    @transition(
        state,
        source=[S.WAITING_FOR_DEPENDENCIES, S.WAITING_FOR_RETRY],
        target=S.EVALUATING_RESULTS,
    )
    def dependencies_ready(self) -> None:
        """A waiting task has something to decide again."""

    @transition(state, source=S.WAITING_FOR_RETRY, target=S.ENQUEUING_STEPS)
    def retry_ready(self) -> None:
        """A retry is due."""

    # ------------------------------------------------------------ moves of timers and operators

    @transition(state, source=S.STEPS_IN_PROCESS, target=S.ERROR)
    def fail(self) -> None:
        """The task cannot go on (imports)."""

    @transition(state, source=RESTING_UNFINISHED + sorted(HOP_TASK_STATES), target=S.ERROR)
    def timeout(self) -> None:
        """The task stayed longer than its template allows."""

    @transition(state, source=RESTING_UNFINISHED + sorted(HOP_TASK_STATES), target=S.CANCELLED)
    def cancel(self) -> None:
        """An operator called the task off."""

    @transition(
        state, source=RESTING_UNFINISHED + sorted(HOP_TASK_STATES), target=S.RESOLVED_MANUALLY
    )
    def resolve_manually(self) -> None:
        """An operator closed the task."""

    @transition(state, source=S.BLOCKED_BY_FAILURES, target=S.RESOLVED_MANUALLY)
    def manual_resolution(self) -> None:
        """An operator closed a blocked task."""

    @transition(state, source=S.BLOCKED_BY_FAILURES, target=S.ERROR)
    def give_up(self) -> None:
        """An operator gave a blocked task up."""

    @transition(state, source=S.ERROR, target=S.PENDING)
    def reset(self) -> None:
        """An operator revives the task."""
