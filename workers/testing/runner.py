"""One run of `run_inline`: dispatch after dispatch until nothing is left to wait for.

Nothing here decides anything about a task. A dispatch is what a worker does (claim, executor,
report), what follows is what an orchestrator does (results, due retries, lost claims), all through
the functions that the processes call. Only two things differ: steps are taken one at a time in a
fixed order, and instead of waiting the clock of this session jumps.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from orchestration.conf import engine_settings
from orchestration.lifecycle import due_work, result_processor, task_initializer
from orchestration.lifecycle.task_finalizer import Cause, Goal
from orchestration.lifecycle.task_request import TaskRequest
from orchestration.messaging.messages import worker_queue
from orchestration.queries.inline import FinalStep, WaitingStep, final_steps, waiting_steps
from orchestration.queries.steps import Claim, StepReport, claim_steps
from orchestration.queries.tasks import Move
from orchestration.states import TERMINAL_TASK_STATES, StepState, TaskState
from templates_registry import dag
from templates_registry.registry import FoundTemplate
from workers.conf import worker_settings
from workers.domain_events import InProcessDomainEvent
from workers.executor import Execution, Executor
from workers.executor.storing import Accepted, follow_up, store_reports
from workers.testing.attempt_savepoint import AttemptSavepoint
from workers.testing.clock import VirtualClock
from workers.testing.events import capture_events, discover_publishers, take_back
from workers.testing.handlers import Handlers
from workers.testing.outcome import Dispatch, InlineRun, InlineRunError, InlineStep, WorkerLost

ACTOR = "run_inline"
OnDispatch = Callable[[str, int, int], object]


class Runner:
    """Runs one task of a template in the caller's transaction."""

    def __init__(
        self,
        found: FoundTemplate,
        handlers: Handlers,
        *,
        max_dispatches: int,
        retry: bool,
        on_dispatch: OnDispatch | None,
    ) -> None:
        self._found = found
        self._places = _places(found)
        self._max_dispatches = max_dispatches
        self._retry = retry
        self._on_dispatch = on_dispatch
        self._worker_uuid = uuid4()
        self._move = Move(ACTOR, processor_uuid=self._worker_uuid)
        self._clock = VirtualClock()
        self._savepoint = AttemptSavepoint()
        self._counts: Counter[str] = Counter()
        self._dispatches: list[Dispatch] = []
        self._reports: list[StepReport] = []
        self._is_over = False
        self._executor = Executor(
            worker_id=ACTOR,
            settings=worker_settings(),
            on_done=self._note_done,
            is_stopping=lambda: False,
            handlers=handlers,
            on_dispatch=self._begin_dispatch,
        )

    def run(self, context: dict[str, Any]) -> InlineRun:
        """Create the task, run it to rest, and put the clock back."""
        discover_publishers()
        task_uuid = self._create(context)
        with capture_events() as events:
            while self._advance(task_uuid):
                pass
        own = [event for event in events if event.metadata.task_uuid == str(task_uuid)]
        take_back(own, task_uuid=task_uuid, namespace=self._found.namespace)
        self._clock.restore()
        return self._describe(task_uuid, own)

    def close(self) -> None:
        """End the executor's thread."""
        self._executor.close()

    def _create(self, context: dict[str, Any]) -> UUID:
        """Create the task; a key of its own makes it a new one under every identity strategy."""
        found = self._found
        request = TaskRequest.parse(
            {
                "name": found.name,
                "namespace": found.namespace,
                "version": found.version,
                "context": context,
                "source_system": ACTOR,
                "initiator": ACTOR,
                "idempotency_key": str(uuid4()),
            }
        )
        created = task_initializer.create(request, actor=ACTOR, found=found)
        if created.state == TaskState.PENDING:  # the namespace is backlogged by somebody else
            self._evaluate(created.task_uuid, Cause.CREATION)
        return created.task_uuid

    # --- what comes next
    def _advance(self, task_uuid: UUID) -> bool:
        """Dispatch the next step, or wait for the next retry; say whether there was one."""
        waiting = () if self._is_over else waiting_steps(task_uuid)
        enqueued = [step for step in waiting if step.state == StepState.ENQUEUED]
        if enqueued:
            self._dispatch(task_uuid, min(enqueued, key=self._place))
            return True
        due = [step.next_retry_at for step in waiting if step.next_retry_at is not None]
        if not due or not self._retry:
            return False
        self._clock.jump_to(min(due))
        return self._evaluate(task_uuid, Cause.TIMER)

    def _place(self, step: WaitingStep | FinalStep) -> tuple[int, int, str]:
        """Return depth in the graph, place in the template, name of the instance."""
        return (*self._places[step.template_step_name], step.name)

    def _evaluate(self, task_uuid: UUID, cause: Cause) -> bool:
        """Evaluate the task; say whether that enqueued a step."""
        answers = due_work.evaluate_free([task_uuid], cause=cause, move=self._move)
        return any(answer.goal is Goal.ENQUEUE for answer in answers)

    # --- one dispatch, or several where the handler yields checkpoints
    def _dispatch(self, task_uuid: UUID, step: WaitingStep) -> None:
        execution = self._executor.begin(self._claim(step))
        try:
            with self._savepoint.guard():
                self._executor.run(execution)
        except WorkerLost:
            self._clock.jump_past(engine_settings().lease_seconds)
            due_work.reap_lost_claims(move=self._move, task_uuid=task_uuid)
            return
        if self._reports:
            self._store(execution, self._reports.pop())
        batch = result_processor.process_task(task_uuid, move=self._move)
        self._is_over = any(answer.state in TERMINAL_TASK_STATES for answer in batch.answers)

    @staticmethod
    def _store(execution: Execution, report: StepReport) -> None:
        stored = store_reports([report])[report.step_uuid]
        if stored.is_accepted:
            follow_up([Accepted(execution, report, stored)])

    def _claim(self, step: WaitingStep) -> Claim:
        claims = claim_steps(
            worker_queue(self._found.namespace),
            worker_uuid=self._worker_uuid,
            limit=1,
            lease_seconds=engine_settings().lease_seconds,
            only=step.workflow_step_uuid,
        )
        if not claims:
            raise InlineRunError(
                f"Step '{step.name}' of {self._found.template} is enqueued but its message is not "
                f"on {worker_queue(self._found.namespace)}; was the queue purged during the run?"
            )
        return claims[0]

    def _begin_dispatch(self, execution: Execution) -> None:
        claim = execution.claim
        if len(self._dispatches) >= self._max_dispatches:
            last = ", ".join(str(each.step) for each in self._dispatches[-3:])
            raise InlineRunError(
                f"{self._found.template} did not end within max_dispatches="
                f"{self._max_dispatches}; the last ones were of {last or 'no step'}"
            )
        self._counts[claim.name] += 1
        dispatch = Dispatch(claim.name, claim.attempts, self._counts[claim.name])
        self._dispatches.append(dispatch)
        self._savepoint.end()
        if self._on_dispatch is not None:
            self._on_dispatch(*dispatch)

    def _note_done(self, execution: Execution, report: StepReport | None) -> None:
        if report is not None:
            self._reports.append(report)

    # --- afterwards
    def _describe(self, task_uuid: UUID, events: list[InProcessDomainEvent]) -> InlineRun:
        rows = final_steps(task_uuid)
        order = {name: place for place, name in enumerate(self._counts)}
        rows.sort(key=lambda row: (order.get(row.name, len(order)), self._place(row)))
        return InlineRun(
            task_uuid=task_uuid,
            status=rows[0].task_state,
            steps={row.name: self._step(row) for row in rows},
            dispatches=self._dispatches,
            virtual_seconds=self._clock.skipped_seconds,
            events=events,
        )

    def _step(self, row: FinalStep) -> InlineStep:
        return InlineStep(
            name=row.name,
            template_name=row.template_step_name,
            state=row.state,
            attempts=row.attempts,
            dispatches=self._counts[row.name],
            checkpoint=row.checkpoint,
            execution_result=row.results,
        )


def _places(found: FoundTemplate) -> dict[str, tuple[int, int]]:
    """Return for each template step its depth in the graph and its place in the list."""
    levels = dag.levels(found.template.dependencies())
    return {
        step.name: (levels[step.name], place) for place, step in enumerate(found.template.steps)
    }
