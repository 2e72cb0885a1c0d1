"""The source of a class that handles the steps which share a callable, one method for each."""

import keyword
from collections.abc import Iterator, Mapping

from workers.codegen.functions import TODO, documented
from workers.codegen.imports import import_of
from workers.codegen.layout import Call, Expression, show
from workers.codegen.module import Block
from workers.codegen.plans import BATCH_KEY, DEFAULT_METHOD, Plans, StepPlan
from workers.codegen.text import docstring, literal, noqa
from workers.handlers.decision import DecisionHandler

# What handlers have already; a method of such a name would break them.
_TAKEN = frozenset([*keyword.kwlist, *dir(DecisionHandler)]) - {DEFAULT_METHOD}


def is_method_name(method: str) -> bool:
    """Say whether a handler class can have a method of this name."""
    return method.isidentifier() and method not in _TAKEN


def class_block(name: str, methods: Mapping[str, StepPlan], plans: Plans) -> Block:
    """Return the handler class; `methods` says which step stands for which method."""
    plan = next(iter(methods.values()))
    steps = ", ".join(each.name for each in methods.values())
    text = f"Runs the step{'s' if len(methods) > 1 else ''} {steps}."
    decides = any(each.step.type == "decision" for each in methods.values())
    base = "DecisionHandler" if decides else "StepHandler"
    lines = [
        f"class {name}({base}):{'' if name[0].isupper() else noqa('N801')}",
        *docstring(text, indent=4, otherwise="Runs steps of the template."),
        "",
        f"    handler_name = {literal(plan.step.handler.callable)}",
    ]
    made = {method: list(_method(method, each, plans)) for method, each in methods.items()}
    if DEFAULT_METHOD not in made:
        made = {DEFAULT_METHOD: _REFUSING_CALL, **made}
    used = {base, "StepContext", "StepHandlerResult"}
    imports = {import_of(each, plans.source) for each in used}
    if plans.models_module and any(plans.name_of(each.result) for each in methods.values()):
        imports.add(plans.models_module)
    return Block(name, lines, frozenset(imports), made)


_REFUSING_CALL = [
    "    def call(self, context: StepContext) -> StepHandlerResult:",
    '        """Refuse: every step of the template names another method."""',
    '        raise NotImplementedError(f"{self.name} has a method for each step")',
]


def _method(method: str, plan: StepPlan, plans: Plans) -> Iterator[str]:
    note = "" if method == method.lower() else noqa("N802")
    yield f"    def {method}(self, context: StepContext) -> StepHandlerResult:{note}"
    yield from documented(plan, indent=8)
    yield f"        {TODO}"
    if plans.name_of(plan.result):
        yield f"        result = {show(plans.stub_of(plan), indent=8, before=len('result = '))}"
        yield '        return self.success(result.model_dump(mode="json"))'
    else:
        yield f"        return {show(_value(plan), indent=8, before=len('return '))}"


def _value(plan: StepPlan) -> Expression:
    if plan.step.type == "batchable":
        return Call("self.success", [{BATCH_KEY: {"type": "no_batches"}}])
    if plan.branches:
        return Call("self.decision_success", [list(plan.branches)])
    if plan.step.type == "decision":
        return Call("self.skip_branches", ["no branch is written yet"])
    return Call("self.success", [plan.stub])
