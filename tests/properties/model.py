"""What engine.md says of tasks and steps, in plain Python, written without looking at the code.

The model keeps every task and step with its whole history, in the notation of
`tests.factories.histories`, and predicts what each operation does. It knows nothing of the engine:
times are whole milliseconds since the start, messages are flags, uuids are names given to rows.
"""

from collections.abc import Sequence
from typing import Any

from tests.factories.next_states import expected
from tests.properties.subjects import (
    DONE,
    FINISHED,
    IN_FLIGHT,
    TERMINAL_TASK,
    WAITING,
    ClaimModel,
    Rules,
    StepModel,
    TaskModel,
)

STRANDED_MS = 60_000


class Model:
    """All tasks, the clock, and the messages about results."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.now = 0
        self.tasks: list[TaskModel] = []
        self.results: list[tuple[Any, int]] = []
        """Result messages on the queue, as (step uuid, version), in no particular order."""

    @property
    def steps(self) -> list[StepModel]:
        return [step for task in self.tasks for step in task.steps.values()]

    # ------------------------------------------------------------ the decision (7.3)

    def evaluate(self, task: TaskModel, cause: str) -> None:
        """Decide what comes next for a task and let it happen."""
        if task.state in TERMINAL_TASK:
            return
        goal = self._enqueue_what_fits(task) or self._goal_without_ready_steps(task)
        path = expected(goal, task.state, cause)
        task.history += path.split()

    def _enqueue_what_fits(self, task: TaskModel) -> str | None:
        ready = task.ready(self.now)
        if not ready:
            return None
        room = max(self.rules.limit - len(task.in_states(IN_FLIGHT)), 0)
        ready.sort(key=lambda step: step.plan.name)
        for step in ready[:room]:
            step.enqueue(self.now)
        for step in ready[room:]:  # they stay ready, but no timer waits for them any more
            if step.state == "waiting_for_retry":
                step.enter("pending", self.now)
        return "enqueue" if room else "in_flight"

    def _goal_without_ready_steps(self, task: TaskModel) -> str:
        steps = list(task.steps.values())
        if task.in_states(IN_FLIGHT):
            return "in_flight"
        if any(s.state == "waiting_for_retry" and s.may_be_tried for s in steps):
            return "retry"
        if any(s.state == "error" or (s.state in WAITING and not s.may_be_tried) for s in steps):
            return "blocked"
        if all(s.state in FINISHED for s in steps) and any(s.state in DONE for s in steps):
            return "finished"
        return "idle"

    # ------------------------------------------------------------ creation and discovery

    def is_closed(self, namespace: str) -> bool:
        waiting = [s for s in self.steps if s.task.namespace == namespace and s.has_message]
        return len(waiting) >= self.rules.high_water

    def create(self, task: TaskModel, *, bypass: Sequence[str], start: bool) -> None:
        """Let a new task in, whose rows are known."""
        closed = self.is_closed(task.namespace)
        self.tasks.append(task)
        for name in bypass:
            task.steps[name].enter("resolved_manually:resolve_manually", self.now)
        if start and not closed:
            self.evaluate(task, "creation")

    def discover(self) -> tuple[int, bool]:
        """Let waiting tasks in; return how many, and whether some namespace has no room."""
        closed = {task.namespace for task in self.tasks if self.is_closed(task.namespace)}
        waiting = [
            task
            for task in self.tasks
            if (task.state == "P" and task.namespace not in closed)
            or (task.state in {"D", "R"} and task.ready(self.now))
        ]
        chosen = sorted(waiting, key=lambda task: task.rank)[: self.rules.batch]
        for task in chosen:
            self.evaluate(task, "timer")
        return len(chosen), bool(closed)

    # ------------------------------------------------------------ workers

    def claimable(self, namespace: str) -> list[StepModel]:
        return [
            step
            for step in self.steps
            if step.task.namespace == namespace and step.state == "enqueued" and step.has_message
        ]

    def claim(self, step: StepModel, engine: Any, *, lease_ms: int) -> ClaimModel:
        step.enter("in_progress", self.now)
        step.attempts += 1
        step.lease = self.now + lease_ms
        step.claim = ClaimModel(step, step.version, engine)
        return step.claim

    def prolong(self, claim: ClaimModel, *, lease_ms: int, cursor: int | None = None) -> bool:
        if not claim.is_held:
            return False
        claim.step.lease = self.now + lease_ms
        if cursor is not None:
            claim.step.cursor = cursor
        return True

    def release(self, claim: ClaimModel) -> bool:
        if not claim.is_held:
            return False
        step = claim.step
        step.enter("enqueued:release", self.now)
        step.attempts -= 1
        step.has_message = step.has_queue_id = True
        return True

    def report(
        self,
        claim: ClaimModel,
        results: tuple[bool, Any],
        *,
        says_success: bool,
        wants_retry: bool,
        asked_seconds: float | None,
    ) -> bool:
        """Store a result; False for a claim that was taken back."""
        if not claim.is_held:
            return False
        step = claim.step
        step.enter("efo" if says_success else "eaefo", self.now)
        step.results = results
        step.wants_retry, step.asked_seconds = wants_retry, asked_seconds
        step.failed_at = step.failed_at if says_success else self.now
        step.accepted += 1
        self.results.append((step.uuid, step.version))
        return True

    # ------------------------------------------------------------ orchestrators

    def process(self, messages: Sequence[tuple[Any, int]]) -> None:
        """Handle these result messages in one transaction."""
        by_uuid = {step.uuid: step for step in self.steps}
        causes: dict[TaskModel, str] = {}
        for message in messages:
            self.results.remove(message)
            step = by_uuid[message[0]]
            if step.state not in {"efo", "eaefo"} or step.version != message[1]:
                continue
            succeeded = self._settle(step)
            if succeeded or step.task not in causes:
                causes[step.task] = "success" if succeeded else "failure"
        for task, cause in causes.items():
            self.evaluate(task, cause)

    def _settle(self, step: StepModel) -> bool:
        assert step.results is not None
        if step.state == "efo":
            step.enter("complete" if step.results[0] else "error:fail", self.now)
            return step.results[0]
        if step.wants_retry and step.plan.retryable and step.attempts < step.plan.max_attempts:
            assert step.failed_at is not None
            delay = step.plan.delay_ms(step.attempts, step.asked_seconds)
            step.enter("waiting_for_retry", self.now)
            step.due = step.failed_at + delay
        else:
            step.enter("error", self.now)
        return False

    def start_due_retries(self) -> None:
        for task in self.tasks:
            if any(
                step.state == "waiting_for_retry" and step.may_be_tried and step.is_ready(self.now)
                for step in task.steps.values()
            ):
                self.evaluate(task, "timer")

    def reap(self) -> int:
        """Take expired claims back; return how many."""
        lost = [step for step in self.steps if step.lease is not None and step.lease < self.now]
        failed: list[TaskModel] = []
        for step in lost:
            step.failed_at = self.now
            if step.plan.retryable and step.attempts < step.plan.max_attempts:
                step.enter("enqueued:worker_lost", self.now)
                step.requeues += 1
                step.has_message = step.has_queue_id = True
            else:
                step.enter("error:worker_lost", self.now)
                step.results = (False, None)
                failed.append(step.task)
        for task in dict.fromkeys(failed):
            self.evaluate(task, "failure")
        return len(lost)

    def sweep(self) -> int:
        """Send again what has been missing for a minute; return how many messages."""
        before = self.now - STRANDED_MS
        named = {uuid for uuid, _ in self.results}
        repaired = 0
        for step in self.steps:
            if step.entered >= before:
                continue
            if step.state == "enqueued" and not step.has_message:
                step.has_message = True
                repaired += 1
            if step.state in {"efo", "eaefo"} and step.uuid not in named:
                self.results.append((step.uuid, step.version))
                repaired += 1
        return repaired

    def missing_step_messages(self) -> set[Any]:
        """Return steps whose message was purged: the only ones that may break I5."""
        return {step.uuid for step in self.steps if step.has_queue_id and not step.has_message}

    def missing_result_messages(self) -> set[Any]:
        """Return steps of which no message, or more than one, names the present version (I6)."""
        return {
            step.uuid
            for step in self.steps
            if step.state in {"efo", "eaefo"} and self.results.count((step.uuid, step.version)) != 1
        }
