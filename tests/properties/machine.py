"""The machine that hypothesis drives: each rule is one operation, done by engine and model.

After each rule all states, counters, times and messages must be the same on both sides, and the
invariants of engine.md 4.5 hold, but for what a purge by hand has broken. At the end everything is
driven to rest, where nothing may be left lying, and the whole histories are compared.
"""

from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from orchestration.client import create_task
from orchestration.errors import (
    ActionRefusedError,
    DuplicateDlqEntryError,
    InvalidRequestError,
    NotFoundError,
)
from orchestration.lifecycle import discovery, due_work, operator_actions, result_processor
from orchestration.messaging.messages import RESULTS_QUEUE, worker_queue
from tests.factories import ticks
from tests.factories.histories import step_history, task_history
from tests.properties import engine
from tests.properties.engine import NAMESPACES
from tests.properties.operators import (
    ACTIONS_ON_STEPS,
    ACTIONS_ON_TASKS,
    act_on_step,
    act_on_task,
)
from tests.properties.orchestrators import Orchestrators
from tests.properties.stage import ANY
from tests.properties.subjects import IN_FLIGHT, TERMINAL_TASK, Refused
from tests.properties.workers import WORKERS, tokens

MISHAPS = (
    "purge_a_queue",
    "cancel_a_pending_step_in_psql",
    "send_a_result_again",
    "send_a_step_again",
    "send_an_unusable_message",
    "die_before_the_commit",
    "ask_for_what_is_not_there",
)


class EngineAndModel(Orchestrators):
    """All rules: those of workers and orchestrators, people, and mishaps; and the end."""

    # ------------------------------------------------------------ people

    @precondition(lambda self: self.model.tasks)
    @rule(place=ANY, action=st.sampled_from(ACTIONS_ON_STEPS), on_failed=st.booleans())
    def act_on_a_step(self, place: int, action: str, on_failed: bool) -> None:
        every = self.model.steps
        chosen = [step for step in every if step.state == "error"] if on_failed else every
        step = (chosen or every)[place % len(chosen or every)]
        token = next(tokens)
        more = {"result": {"token": token}} if action == "complete_step" else {}
        self.do_both(
            lambda: act_on_step(self.model, action, step, token),
            lambda: getattr(operator_actions, action)(step.uuid, actor="a person", **more),
        )

    @precondition(lambda self: self.model.tasks)
    @rule(place=ANY, action=st.sampled_from(ACTIONS_ON_TASKS), on_failed=st.booleans())
    def act_on_a_task(self, place: int, action: str, on_failed: bool) -> None:
        every = self.model.tasks
        chosen = [task for task in every if task.state in {"B", "X"}] if on_failed else every
        task = (chosen or every)[place % len(chosen or every)]
        self.do_both(
            lambda: act_on_task(self.model, action, task),
            lambda: getattr(operator_actions, action)(task.uuid, actor="a person"),
        )

    def do_both(self, predict: Callable[[], None], act: Callable[[], object]) -> None:
        """Act, or be refused where the model expects it."""
        try:
            predict()
        except Refused:
            with pytest.raises((ActionRefusedError, DuplicateDlqEntryError)):
                act()
        else:
            act()

    # ------------------------------------------------------------ mishaps

    @rule(mishap=st.sampled_from(MISHAPS), place=ANY)
    def suffer(self, mishap: str, place: int) -> None:
        getattr(self, mishap)(place)

    def purge_a_queue(self, place: int) -> None:
        queues = [*map(worker_queue, NAMESPACES), RESULTS_QUEUE]
        queue = queues[place % len(queues)]
        engine.purge(queue)
        if queue == RESULTS_QUEUE:
            self.model.results.clear()
            self.poison = 0
        for step in self.model.steps:
            if queue == worker_queue(step.task.namespace):
                step.has_message = False

    def cancel_a_pending_step_in_psql(self, place: int) -> None:
        pending = [step for step in self.model.steps if step.state == "pending"]
        if pending:
            step = pending[place % len(pending)]
            engine.cancel_by_hand(step.uuid)
            step.enter("cancelled:cancel", self.model.now)

    def send_a_result_again(self, place: int) -> None:
        if self.old_messages:
            task_uuid, step_uuid, version = self.old_messages[place % len(self.old_messages)]
            engine.send_result_again(task_uuid, step_uuid, version)
            self.model.results.append((step_uuid, version))

    def send_a_step_again(self, place: int) -> None:
        for namespace in NAMESPACES:
            waiting = self.model.claimable(namespace)
            if waiting:
                engine.send_step_again(namespace, waiting[place % len(waiting)].uuid)
                # With room for the copy, which is deleted.
                self.take(WORKERS[1], 500, namespace)

    def send_an_unusable_message(self, place: int) -> None:
        unknown = {"task_uuid": str(uuid4()), "step_uuid": str(uuid4())}
        engine.send_result(unknown if place % 2 else {})
        self.poison += 1

    def die_before_the_commit(self, place: int) -> None:
        name, namespace, _ = self.templates[place % len(self.templates)]
        with engine.crash():
            assert create_task(name, namespace=namespace, idempotency_key="lost").created
            if not self.poison:  # which would be set aside in transactions of their own
                result_processor.process_results(limit=1 + place % 5, move=ticks.MOVE)
            discovery.admit_waiting_tasks(limit=50, move=ticks.MOVE)
            due_work.start_due_retries(move=ticks.MOVE)
            due_work.reap_lost_claims(move=ticks.MOVE)
            for task in self.model.tasks:
                with suppress(ActionRefusedError):  # it may be complete by now
                    operator_actions.cancel_task(task.uuid, actor="a person")

    def ask_for_what_is_not_there(self, place: int) -> None:
        actions = [*ACTIONS_ON_STEPS[:2], *ACTIONS_ON_TASKS]
        with pytest.raises(NotFoundError):
            getattr(operator_actions, actions[place % len(actions)])(uuid4(), actor="a person")
        name, namespace, _ = self.templates[place % len(self.templates)]
        with pytest.raises(InvalidRequestError):
            create_task(name, namespace=namespace, bypass_steps=["nobody"])

    # ------------------------------------------------------------ the end

    def teardown(self) -> None:
        if not self.has_begun:
            return
        try:
            self.bring_to_rest()
            self.check_what_is_left()
        finally:
            self.override.disable()
            engine.ask("SELECT set_config('tasker.fake_now', '', false)")

    def bring_to_rest(self) -> None:
        """Let all timers, workers and orchestrators work until nothing more happens."""
        for _ in range(200):
            before = [task.version for task in self.model.tasks]
            before += [step.version for step in self.model.steps]
            self.advance(4_000_000)
            for operation in (self.timer, self.reap, self.sweep, self.discover):
                operation()
            self.engine_and_model_agree()
            for namespace in NAMESPACES:
                for claim in self.take(WORKERS[2], 500, namespace):
                    self.send_report(claim, "success", way="message")
            self.take_results(500)
            self.engine_and_model_agree()
            after = [task.version for task in self.model.tasks]
            after += [step.version for step in self.model.steps]
            if before == after and not self.waiting_results:
                self.invariants_hold()
                return
        raise AssertionError("It never comes to rest")

    def check_what_is_left(self) -> None:
        for task in self.model.tasks:
            stuck = task.state == "D" and any(s.state == "cancelled" for s in task.steps.values())
            assert task.state in TERMINAL_TASK | {"B"} or stuck, (task.state, task.steps)
            assert not task.in_states(IN_FLIGHT | {"waiting_for_retry"})
            assert task_history(task.uuid) == " ".join(task.history)
            for step in task.steps.values():
                assert step_history(step.uuid) == " ".join(step.history)
        rows = engine.ask(
            "SELECT workflow_step_uuid, count(*) FROM tasker_workflow_step_result_audit GROUP BY 1"
        )
        assert dict(rows) == {s.uuid: s.accepted for s in self.model.steps if s.accepted}
