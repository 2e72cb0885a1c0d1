"""The states that tasks and steps can be in, each with its meaning, and the named sets of them.

The moves between them are declared once, on `models.Task` and `models.WorkflowStep`; the database
judges every path with the same graph (`sql/functions/task_move_event`, `step_move_event`).
"""

from django.db.models import TextChoices


class TaskState(TextChoices):
    """The twelve states of a task. Three are hops: history has them, rows never rest there."""

    PENDING = "pending"
    """Created, not started. Moved by creation, or by discovery when the namespace is backlogged."""
    INITIALIZING = "initializing"
    """Hop: the first ready steps are sought."""
    ENQUEUING_STEPS = "enqueuing_steps"
    """Hop: ready steps go to their queues."""
    STEPS_IN_PROCESS = "steps_in_process"
    """At least one step is in flight. Moved by results, the lease reaper or an operator; without a
    worker in the namespace it waits and ends in a DLQ entry."""
    EVALUATING_RESULTS = "evaluating_results"
    """Hop: what comes next is being decided."""
    WAITING_FOR_DEPENDENCIES = "waiting_for_dependencies"
    """Nothing ready, in flight, retrying or failed, yet not done. Moved by discovery."""
    WAITING_FOR_RETRY = "waiting_for_retry"
    """Nothing ready or in flight; at least one step waits for its due time (due-work timer)."""
    BLOCKED_BY_FAILURES = "blocked_by_failures"
    """A permanent failure and nothing else to do. Only an operator moves it."""
    COMPLETE = "complete"
    """All steps done. Terminal."""
    ERROR = "error"
    """Given up or timed out. Terminal but for an operator's `reset`."""
    CANCELLED = "cancelled"
    """Called off. Terminal."""
    RESOLVED_MANUALLY = "resolved_manually"
    """Closed by an operator. Terminal."""


class StepState(TextChoices):
    """The ten states of a step."""

    PENDING = "pending"
    """Waits for its parents, or for its next enqueue. Moved by the task's evaluation."""
    ENQUEUED = "enqueued"
    """Its message is in the worker queue. Moved by a claim; the sweep repairs a lost message."""
    IN_PROGRESS = "in_progress"
    """Claimed, lease running. Moved by the report, or by the reaper when the worker is lost."""
    ENQUEUED_FOR_ORCHESTRATION = "enqueued_for_orchestration"
    """The handler succeeded; result stored, result message sent. Moved by result processing."""
    ENQUEUED_AS_ERROR_FOR_ORCHESTRATION = "enqueued_as_error_for_orchestration"
    """The handler failed; result stored, result message sent. Moved by result processing."""
    WAITING_FOR_RETRY = "waiting_for_retry"
    """A retryable failure, back-off running. Moved by the due-work timer."""
    COMPLETE = "complete"
    """Done. Terminal; satisfies children."""
    ERROR = "error"
    """Permanent failure by definition. Rests until an operator acts."""
    CANCELLED = "cancelled"
    """Called off. Terminal."""
    RESOLVED_MANUALLY = "resolved_manually"
    """An operator said: treat as done. Terminal; satisfies children."""


class StepType(TextChoices):
    """What the engine does when a step of this kind succeeds."""

    STANDARD = "standard"
    DECISION = "decision"
    DEFERRED_CONVERGENCE = "deferred_convergence"
    BATCHABLE = "batchable"
    BATCH_WORKER = "batch_worker"


TERMINAL_TASK_STATES = frozenset(
    {
        TaskState.COMPLETE,
        TaskState.ERROR,
        TaskState.CANCELLED,
        TaskState.RESOLVED_MANUALLY,
    }
)
HOP_TASK_STATES = frozenset(
    {TaskState.INITIALIZING, TaskState.ENQUEUING_STEPS, TaskState.EVALUATING_RESULTS}
)
REPORTED_STEP_STATES = frozenset(
    {
        StepState.ENQUEUED_FOR_ORCHESTRATION,
        StepState.ENQUEUED_AS_ERROR_FOR_ORCHESTRATION,
    }
)
IN_FLIGHT_STEP_STATES = REPORTED_STEP_STATES | {StepState.ENQUEUED, StepState.IN_PROGRESS}
SATISFYING_STEP_STATES = frozenset({StepState.COMPLETE, StepState.RESOLVED_MANUALLY})
TERMINAL_STEP_STATES = SATISFYING_STEP_STATES | {StepState.CANCELLED}
