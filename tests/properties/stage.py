"""What every rule stands on: templates, clock, new tasks, and the comparison of both sides."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestration.client import create_task
from orchestration.errors import DuplicateTaskError
from orchestration.lifecycle import result_processor
from orchestration.lifecycle.task_initializer import CreatedTask
from orchestration.queries import invariants
from templates_registry import registry
from tests.properties import engine
from tests.properties.engine import NAMESPACES
from tests.properties.model import Model
from tests.properties.plans import rules, step_plans, template_of
from tests.properties.subjects import (
    TERMINAL_TASK,
    ClaimModel,
    Rules,
    StepModel,
    StepPlan,
    TaskModel,
)

MOST_TASKS = 12
PURGEABLE = ("I5", "I6")
ROUNDS_PER_INVARIANTS = 4  # nine statements; they would take half of the time
ANY = st.integers(0, 2**16)
template_numbers = count()


class Stage(RuleBasedStateMachine):
    """The two sides, and what must be the same on both."""

    def __init__(self) -> None:
        super().__init__()
        self.claims: list[ClaimModel] = []
        self.old_messages: list[tuple[Any, Any, int]] = []
        self.keys: dict[tuple[str, str | None], tuple[TaskModel, object]] = {}
        self.poison = 0
        self.rounds = 0
        self.has_begun = False
        self.start = timezone.now()

    # ------------------------------------------------------------ the stage

    @initialize(
        drawn=rules, graphs=st.lists(step_plans(), min_size=1, max_size=3), elsewhere=st.booleans()
    )
    def set_up(self, drawn: Rules, graphs: list[tuple[StepPlan, ...]], elsewhere: bool) -> None:
        self.has_begun = True
        self.model = Model(drawn)
        self.override = override_settings(
            TASKER={
                **getattr(django_settings, "TASKER", {}),
                "max_steps_in_flight_per_task": drawn.limit,
                "high_water_messages": drawn.high_water,
            }
        )
        self.override.enable()
        result_processor.LARGE_TASK_STEPS = drawn.large
        engine.be_quick()
        engine.forget_everything()  # what a run that was killed has left
        self.show_time()
        self.templates: list[tuple[str, str, tuple[StepPlan, ...]]] = []
        for place, plans in enumerate(graphs):
            namespace = NAMESPACES[place % 2 if elsewhere else 0]
            name = f"random_{next(template_numbers)}"
            registered = registry.register(template_of(name, namespace, plans))
            assert registered.named_task_uuid, registered
            self.templates.append((name, namespace, plans))
            self.create(place=place, start=True, priority=0, bypass=0, key=None)

    def show_time(self) -> None:
        moment: datetime = self.start + timedelta(milliseconds=self.model.now)
        engine.ask("SELECT set_config('tasker.fake_now', %s, false)", moment.isoformat())

    def advance(self, milliseconds: int) -> None:
        self.model.now += milliseconds
        self.show_time()

    # ------------------------------------------------------------ creation

    @precondition(lambda self: len(self.model.tasks) < MOST_TASKS)
    @rule(
        place=ANY,
        start=st.sampled_from([True, True, True, False]),
        priority=st.sampled_from([0, 0, 5, -3]),
        bypass=st.sampled_from([0, 0, 0, 1, 2]),
        key=st.sampled_from([None, None, None, "a", "b"]),
    )
    def create(self, place: int, start: bool, priority: int, bypass: int, key: str | None) -> None:
        self.advance(1)
        name, namespace, plans = self.templates[place % len(self.templates)]
        bypassed = [plan.name for plan in plans[:bypass]]
        request: dict[str, Any] = {"priority": priority, "bypass_steps": bypassed}

        def ask() -> CreatedTask:
            return create_task(
                name, namespace=namespace, start=start, idempotency_key=key, **request
            )

        first = self.keys.get((name, key))
        if key and first:
            if first[1] == request:
                assert ask()[:1] + ask()[3:] == (first[0].uuid, False)
            else:
                with pytest.raises(DuplicateTaskError):
                    ask()
            return
        created = ask()
        assert created.created
        task = TaskModel(created.task_uuid, namespace, priority, self.model.now)
        uuids = engine.step_uuids(task.uuid)
        task.steps = {
            plan.name: StepModel(task, plan, uuids[plan.name], entered=self.model.now)
            for plan in plans
        }
        self.model.create(task, bypass=bypassed, start=start)
        self.keys[name, key] = (task, request)

    # ------------------------------------------------------------ agreement

    @invariant()
    def engine_and_model_agree(self) -> None:
        if not self.has_begun:
            return
        found = engine.take_picture(self.start)
        assert found.tasks == {
            task.uuid: engine.TaskRow(task.state, task.version, task.state in TERMINAL_TASK)
            for task in self.model.tasks
        }
        assert found.steps == {step.uuid: row_of(step) for step in self.model.steps}
        assert found.lengths == [
            sum(step.has_message and step.task.namespace == name for step in self.model.steps)
            for name in NAMESPACES
        ]
        assert found.results.count(None) == self.poison
        assert sorted(filter(None, found.results)) == sorted(self.model.results)
        self.waiting_results = found.results
        self.rounds += 1
        if self.rounds % ROUNDS_PER_INVARIANTS == 0:
            self.invariants_hold()

    def invariants_hold(self) -> None:
        """Compare what breaks the invariants with what a purge by hand has broken."""
        broken = invariants.violations()
        named = {name: {o.object_uuid for o in broken if o.invariant == name} for name in PURGEABLE}
        assert named["I5"] == self.model.missing_step_messages()
        assert named["I6"] == self.model.missing_result_messages()
        assert [each for each in broken if each.invariant not in PURGEABLE] == []


def row_of(step: StepModel) -> engine.StepRow:
    """Return the row that the engine should have for a step."""
    return engine.StepRow(
        step.state,
        step.version,
        step.attempts,
        step.requeues,
        step.due,
        step.lease,
        step.has_queue_id,
    )
