"""The source of a decorated function that handles one step."""

from collections.abc import Iterator

from workers.codegen.imports import Import, import_of
from workers.codegen.layout import Call, Expression, Group, show
from workers.codegen.module import Block
from workers.codegen.naming import distinct, identifier
from workers.codegen.plans import Plans, StepPlan
from workers.codegen.text import comment, docstring, literal, may_be_secret, noqa

TODO = "# TODO: write this handler"
ANY = Import("typing", "Any")
PLAIN_RESULT = "dict[str, Any]"
_MOST_PARAMETERS = 5  # of ruff's PLR0913, unless a project allows more
_GIVEN = ("inputs", "context", "batch_context")  # the other parameters of handlers
_DECORATORS = {
    "decision": "decision_handler",
    "batchable": "batch_analyzer",
    "batch_worker": "batch_worker",
}
_RESULT_TYPES = {"decision": "Decision", "batchable": "BatchConfig"}


def function_block(plan: StepPlan, name: str, plans: Plans) -> Block:
    """Return the function that handles a step."""
    made = _Function(plan, plans)
    lines = [
        *made.decorators(),
        *made.signature(name),
        *documented(plan, indent=4),
        f"    {TODO}",
        f"    return {show(made.value(), indent=4, before=len('return '))}",
    ]
    return Block(name, lines, frozenset(made.imports()))


def documented(plan: StepPlan, *, indent: int) -> Iterator[str]:
    """Yield the docstring of a step's handler, and where it finds the results of batches."""
    text = plan.step.description or f"Run the step {plan.name}."
    otherwise = f"Run the step {identifier(plan.name)}."
    yield from docstring(text, indent=indent, otherwise=otherwise)
    for each in plan.batches:
        call = f"context.get_all_dependency_results({literal(f'{each.name}_')})"
        yield from comment(f"The results of all batches: {call}.", indent=indent)


class _Function:
    """The parts of one function's source."""

    def __init__(self, plan: StepPlan, plans: Plans) -> None:
        self.plan = plan
        self.plans = plans
        self.kind = plan.step.type
        self.input = plans.name_of(plan.input)
        self.result = plans.name_of(plan.result)
        wanted = [f"{each.name}_result" for each in plan.injected]
        self.parameters = distinct(wanted, identifier, taken=_GIVEN)

    def decorators(self) -> Iterator[str]:
        """Yield the decorators: what kind of handler, and what it is given."""
        decorator = _DECORATORS.get(self.kind, "step_handler")
        worker = {"worker_template": self.plan.worker} if self.plan.worker else {}
        yield show(Call(f"@{decorator}", [self.plan.step.handler.callable], worker))
        if self.plan.injected:
            yield show(self._depends_on())
        if self.input:
            yield f"@inputs({self.input})"

    def _depends_on(self) -> Call:
        wanted: dict[str, Expression] = {}
        notes: dict[str, str] = {}
        for each in self.plan.injected:
            name = self._parameter(each)
            if model := self.plans.name_of(each.result):
                wanted[name] = Group("(", [literal(each.name), model], ")")
                continue
            wanted[name] = each.name
            if may_be_secret(name):
                notes[name] = noqa("S106")
        return Call("@depends_on", keywords=wanted, notes=notes)

    def signature(self, name: str) -> list[str]:
        """Return the `def` with its parameters."""
        parameters = dict(self._annotated())
        notes = {
            f"{each}: {annotation}": noqa("N803")
            for each, annotation in parameters.items()
            if each != each.lower()
        }
        codes = [] if name == name.lower() else ["N802"]
        codes += ["PLR0913"] if len(parameters) > _MOST_PARAMETERS else []
        items = [f"{each}: {annotation}" for each, annotation in parameters.items()]
        returned = self.result or _RESULT_TYPES.get(self.kind, PLAIN_RESULT)
        first, *rest = show(Group(f"def {name}(", items, f") -> {returned}:", notes)).split("\n")
        return [first + (noqa(*codes) if codes else ""), *rest]

    def _annotated(self) -> Iterator[tuple[str, str]]:
        if self.input:
            yield "inputs", self.input
        for each in self.plan.injected:
            annotation = self.plans.name_of(each.result) or "Any"
            if annotation != "Any" and self.kind == "deferred_convergence":
                annotation += " | None"  # the branch of this step may not have been taken
            yield self._parameter(each), annotation
        yield "context", "StepContext"
        if self.kind == "batch_worker":
            yield "batch_context", "BatchWorkerContext | None"

    def _parameter(self, dependency: StepPlan) -> str:
        return self.parameters[f"{dependency.name}_result"]

    def value(self) -> Expression:
        """Return what the function returns."""
        if self.kind == "decision" and self.plan.branches:
            return Call("Decision.route", [list(self.plan.branches)])
        if self.kind == "decision":
            return Call("Decision.skip", ["no branch is written yet"])
        if self.kind == "batchable":
            nothing = {"total_items": 0, "batch_size": self.plan.batch_size}
            return Call("BatchConfig", keywords=nothing)
        return self.plans.stub_of(self.plan)

    def imports(self) -> Iterator[Import]:
        """Yield what the function's source refers to."""
        used = [_DECORATORS.get(self.kind, "step_handler"), "StepContext"]
        used += ["depends_on"] if self.plan.injected else []
        used += ["inputs"] if self.input else []
        used += ["BatchWorkerContext"] if self.kind == "batch_worker" else []
        used += [_RESULT_TYPES[self.kind]] if self.kind in _RESULT_TYPES else []
        yield from (import_of(each, self.plans.source) for each in used)
        models = [self.input, self.result]
        models += [self.plans.name_of(each.result) for each in self.plan.injected]
        if any(models) and self.plans.models_module:
            yield self.plans.models_module
        annotations = [annotation for _, annotation in self._annotated()]
        if "Any" in annotations or not (self.result or self.kind in _RESULT_TYPES):
            yield ANY
