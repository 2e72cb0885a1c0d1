"""Factories and shapes for tests, ours and our users': templates, tasks and steps in any state.

A factory builds what a test needs to stand before the act, straight into a state; moving on from
there is left to the code under test. A shape is a `TaskTemplate` whose steps call built-in
handlers: `test.echo`, `test.fail_permanent`, `test.fail_times`. Needs factory-boy, so nothing but
tests may import it.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, Sequence, SubFactory
from factory.django import DjangoModelFactory
from factory.helpers import post_generation

from orchestration.lifecycle.identity import fresh_identity
from orchestration.models import Task, WorkflowStep, WorkflowStepEdge
from orchestration.states import TERMINAL_STEP_STATES, TERMINAL_TASK_STATES, StepState, TaskState
from templates_registry import registry
from templates_registry.models import DependentSystem, NamedStep, NamedTask
from templates_registry.schema import TaskTemplate

ECHO = {"callable": "test.echo"}
FAIL_PERMANENT = {"callable": "test.fail_permanent"}
NAMESPACE = "test"
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


def fail_times(times: int) -> dict[str, Any]:
    """Return the handler that fails that many attempts retryably, then succeeds."""
    return {"callable": "test.fail_times", "initialization": {"times": times}}


# ------------------------------------------------------------ shapes


def shape(
    name: str,
    dependencies: Mapping[str, Iterable[str]],
    *,
    steps: Mapping[str, Mapping[str, Any]] | None = None,
    namespace: str = NAMESPACE,
    **template: Any,
) -> TaskTemplate:
    """Return a template of any graph: step → parents. `steps` says more about single steps.

    What a step says about itself goes before the default handler `test.echo`; further keywords are
    keys of the template.
    """
    said = dict(steps or {})
    if unknown := set(said) - set(dependencies):
        raise ValueError(f"Shape '{name}' has no step {', '.join(sorted(unknown))}")
    listed = [
        {"name": step, "handler": ECHO, "dependencies": list(parents), **said.get(step, {})}
        for step, parents in dependencies.items()
    ]
    return TaskTemplate.model_validate(
        {"name": name, "namespace_name": namespace, "version": "1.0.0", "steps": listed} | template
    )


def linear(length: int = 4, **rest: Any) -> TaskTemplate:
    """Return a chain: step_1 → step_2 → …"""
    graph = {f"step_{n}": [f"step_{n - 1}"] if n > 1 else [] for n in range(1, length + 1)}
    return shape(rest.pop("name", f"linear_{length}"), graph, **rest)


def diamond(**rest: Any) -> TaskTemplate:
    """Return start → left and right → join."""
    graph = {"start": [], "left": ["start"], "right": ["start"], "join": ["left", "right"]}
    return shape(rest.pop("name", "diamond"), graph, **rest)


def tree(depth: int = 3, **rest: Any) -> TaskTemplate:
    """Return a binary tree of `depth` levels whose leaves meet again: 1-2-4-1 for three.

    Nodes are numbered level by level: node_1 is the root, node_n has node_2n and node_2n+1.
    """
    nodes = range(1, 2**depth)
    graph: dict[str, list[str]] = {f"node_{n}": [f"node_{n // 2}"] if n > 1 else [] for n in nodes}
    graph["converge"] = [f"node_{n}" for n in nodes if 2 * n not in nodes]
    return shape(rest.pop("name", f"tree_{depth}"), graph, **rest)


def dag(**rest: Any) -> TaskTemplate:
    """Return seven steps with a join, two single children and a join of three."""
    graph = {
        "init": [],
        "left": ["init"],
        "right": ["init"],
        "validate": ["left", "right"],
        "transform": ["left"],
        "analyze": ["right"],
        "finalize": ["validate", "transform", "analyze"],
    }
    return shape(rest.pop("name", "dag"), graph, **rest)


def fan_in(width: int = 3, **rest: Any) -> TaskTemplate:
    """Return `width` roots that one join waits for."""
    graph: dict[str, list[str]] = {f"root_{n}": [] for n in range(1, width + 1)}
    graph["join"] = list(graph)
    return shape(rest.pop("name", f"fan_in_{width}"), graph, **rest)


# ------------------------------------------------------------ factories


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
