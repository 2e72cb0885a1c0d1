"""Factories: templates, tasks and steps in any state, as a test needs them before the act.

Construction goes straight into a state; moving on from there is left to the code under test.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, Sequence, SubFactory
from factory.django import DjangoModelFactory
from factory.helpers import post_generation

from orchestration.lifecycle.identity import fresh_identity
from orchestration.models import Task, WorkflowStep, WorkflowStepEdge
from orchestration.states import TERMINAL_STEP_STATES, TERMINAL_TASK_STATES, StepState, TaskState
from orchestration.testing.shapes import linear
from templates_registry import registry
from templates_registry.models import DependentSystem, NamedStep, NamedTask
from templates_registry.schema import TaskTemplate

LEASE = timedelta(seconds=30)
_FAILED = frozenset(
    {
        StepState.ENQUEUED_AS_ERROR_FOR_ORCHESTRATION,
        StepState.WAITING_FOR_RETRY,
        StepState.ERROR,
    }
)
_ATTEMPTED = _FAILED | {
    StepState.IN_PROGRESS,
    StepState.ENQUEUED_FOR_ORCHESTRATION,
    StepState.COMPLETE,
}


class TemplateFactory(DjangoModelFactory[NamedTask]):
    """Registers a template and returns its row; `template` = any `TaskTemplate`."""

    class Meta:
        model = NamedTask

    template = LazyFunction(lambda: linear(1))

    @classmethod
    def _create(
        cls, model_class: type[NamedTask], *_: Any, template: TaskTemplate, **__: Any
    ) -> NamedTask:
        registration = registry.register(template)
        if registration.named_task_uuid is None:
            raise ValueError(f"{template}: {registration.message} {registration.findings}")
        return model_class.objects.get(pk=registration.named_task_uuid)


class TaskFactory(DjangoModelFactory[Task]):
    """Inserts a task in any state, without steps."""

    class Meta:
        model = Task

    named_task = SubFactory(TemplateFactory)
    template_revision = LazyAttribute(lambda task: _newest_revision(task.named_task))
    state = TaskState.PENDING
    completed_at = LazyAttribute(
        lambda task: timezone.now() if task.state in TERMINAL_TASK_STATES else None
    )
    identity_hash = LazyFunction(fresh_identity)
    request_hash = "built by a factory"
    context = LazyFunction(dict)


class StepFactory(DjangoModelFactory[WorkflowStep]):
    """Inserts a step in any state, with the columns that belong to it; sends no message.

    `parents` = steps it waits for.
    """

    class Meta:
        model = WorkflowStep
        skip_postgeneration_save = True

    task = SubFactory(TaskFactory)
    name = Sequence(lambda n: f"step_{n}")
    named_step = LazyAttribute(lambda step: _step_type(step.name))
    state = StepState.PENDING
    attempts = LazyAttribute(lambda step: int(step.state in _ATTEMPTED))
    last_attempted_at = LazyAttribute(
        lambda step: timezone.now() if step.state in _ATTEMPTED else None
    )
    last_failure_at = LazyAttribute(lambda step: timezone.now() if step.state in _FAILED else None)
    lease_until = LazyAttribute(
        lambda step: timezone.now() + LEASE if step.state == StepState.IN_PROGRESS else None
    )
    next_retry_at = LazyAttribute(
        lambda step: timezone.now() if step.state == StepState.WAITING_FOR_RETRY else None
    )
    completed_at = LazyAttribute(
        lambda step: timezone.now() if step.state in TERMINAL_STEP_STATES else None
    )

    @post_generation
    def parents(
        self: WorkflowStep, create: bool, extracted: Iterable[WorkflowStep] | None, **_: Any
    ) -> None:
        """Draw an edge from each parent."""
        for parent in extracted or ():
            WorkflowStepEdge.objects.create(from_step=parent, to_step=self)


def _newest_revision(named_task: NamedTask) -> Any:
    return named_task.revisions.latest("created_at")


def _step_type(name: str) -> NamedStep:
    system, _ = DependentSystem.objects.get_or_create(name="default")
    return NamedStep.objects.get_or_create(dependent_system=system, name=name)[0]
