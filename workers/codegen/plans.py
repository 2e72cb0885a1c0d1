"""What the generated handlers and tests of a template need to know, worked out once.

A decision takes every branch that hangs on it directly, an analyser finds nothing to do, any other
step returns the stub values of its `result_schema`.
"""

from dataclasses import dataclass, replace
from typing import Any

from templates_registry.schema import StepTemplate, TaskTemplate
from templates_registry.schema.template import LATER_TYPES
from workers.codegen.imports import WORKERS, Import
from workers.codegen.layout import Expression
from workers.codegen.shapes import Model
from workers.codegen.types import TemplateModels, template_models

DECISION_KEY = "decision_point_outcome"
BATCH_KEY = "batch_processing_outcome"
MODELS = "models"  # name of the module of models in a scaffold
DEFAULT_METHOD = "call"
_DEFAULT_BATCH_SIZE = 1000


@dataclass(frozen=True)
class StepPlan:
    """One step, with what its handler and its test need of the rest of the template."""

    step: StepTemplate
    result: Model | None  # None where the result is an outcome, or has no schema
    dependencies: tuple["StepPlan", ...] = ()
    branches: tuple[str, ...] = ()  # of a decision
    worker: str = ""  # of a batchable step: the name of its worker step
    batch_size: int = _DEFAULT_BATCH_SIZE
    input: Model | None = None  # of a step without dependencies

    @property
    def name(self) -> str:
        """The step's name."""
        return self.step.name

    @property
    def injected(self) -> list["StepPlan"]:
        """The dependencies with one result; a batch worker has one for every batch."""
        return [each for each in self.dependencies if each.step.type != "batch_worker"]

    @property
    def batches(self) -> list["StepPlan"]:
        """The dependencies that run in batches."""
        return [each for each in self.dependencies if each.step.type == "batch_worker"]

    @property
    def expected(self) -> list[str]:
        """The keys that a result of this step has."""
        if self.step.type == "decision":
            return [DECISION_KEY]
        if self.step.type == "batchable":
            return [BATCH_KEY]
        return list(self.stub)

    @property
    def stub(self) -> dict[str, Any]:
        """The stub result as JSON, as the steps behind this one see it."""
        return self.result.stub if self.result else {}


@dataclass(frozen=True)
class Plans:
    """The plans of a template's steps, or of one of them."""

    template: TaskTemplate
    steps: tuple[StepPlan, ...]
    models: TemplateModels
    models_module: Import | None = None  # where a scaffold's models are
    source: str = WORKERS  # the package that handlers import from

    def name_of(self, model: Model | None) -> str:
        """Return what a handler calls a model, empty where handlers are written without models."""
        return f"{MODELS}.{model.name}" if model and self.models_module else ""

    def stub_of(self, plan: StepPlan) -> Expression:
        """Return the stub result of a step as code."""
        if plan.result and self.models_module:
            return plan.result.stub_code(f"{MODELS}.")
        return plan.stub


def make_plans(
    template: TaskTemplate,
    *,
    step: str | None = None,
    models_module: Import | None = None,
    source: str = WORKERS,
) -> Plans:
    """Return the plans of all steps in the order of the template, or of one step."""
    models = template_models(template, with_namespace=False)
    bare = {each.name: _plan(template, each, models) for each in template.steps}
    steps = [
        replace(each, dependencies=tuple(bare[name] for name in each.step.dependencies))
        for each in bare.values()
        if step in (None, each.name)
    ]
    return Plans(template, tuple(steps), models, models_module, source)


def _plan(template: TaskTemplate, step: StepTemplate, models: TemplateModels) -> StepPlan:
    if step.type == "decision":
        return StepPlan(step, None, branches=_branches(template, step.name))
    if step.type == "batchable":
        worker, batch_size = _worker(template, step)
        return StepPlan(step, None, worker=worker, batch_size=batch_size)
    given = None if step.dependencies else models.input
    return StepPlan(step, models.results.get(step.name), input=given)


def _branches(template: TaskTemplate, decision: str) -> tuple[str, ...]:
    return tuple(
        each.name
        for each in template.steps
        if decision in each.dependencies and each.type not in LATER_TYPES
    )


def _worker(template: TaskTemplate, step: StepTemplate) -> tuple[str, int]:
    """Return the worker step of an analyser, and how many items a batch of it holds."""
    for each in template.steps:
        if each.type == "batch_worker" and step.name in each.dependencies:
            config = each.batch_config
            if config is None:
                return each.name, _DEFAULT_BATCH_SIZE
            return config.worker_template or each.name, config.batch_size
    named = step.handler.initialization.get("worker_template_name")
    return str(named or f"{step.name}_worker"), _DEFAULT_BATCH_SIZE
