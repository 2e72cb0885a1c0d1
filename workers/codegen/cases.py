"""`test_step_handlers.py`: one test for each step, which passes on the handlers as generated.

A test runs its handler as a worker would, with stub results of the steps before it, and asserts
success and the keys of the result. The handlers' module is imported as a whole, so that no name of
a step can mean something to the test runner.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from workers.codegen.handlers import Target
from workers.codegen.imports import Import
from workers.codegen.layout import Call, Group, Raw, show
from workers.codegen.module import Block
from workers.codegen.naming import class_name, distinct, identifier
from workers.codegen.plans import DEFAULT_METHOD, Plans, StepPlan
from workers.codegen.text import docstring, literal

TESTING = "workers.testing"


def make_cases(plans: Plans, targets: Mapping[str, Target], *, module: Import) -> list[Block]:
    """Return the test of every step that has a target in the handlers' module."""
    steps = [each for each in plans.steps if each.name in targets]
    names = distinct([each.name for each in steps], _class_name, separator="")
    return [_case(each, names[each.name], targets[each.name], plans, module) for each in steps]


def _class_name(step: str) -> str:
    return f"Test{class_name(step)}Handler"


def _case(plan: StepPlan, name: str, target: Target, plans: Plans, module: Import) -> Block:
    step = f"The step {plan.name}."
    expected = Group("{", [literal(key) for key in plan.expected], "}")
    lines = [
        f"class {name}:",
        *docstring(step, indent=4, otherwise=f"The step {identifier(plan.name)}."),
        "",
        "    def test_succeeds_with_stubs(self) -> None:",
        f"        result = {show(_run(plan, target, module), indent=8, before=9)}",
        "",
        "        assert result.is_success, result.error_message",
    ]
    if plan.expected:
        start = "assert set(result.result or {}) >= "
        lines.append(f"        {start}{show(expected, indent=8, before=len(start))}")
    used = ["run_handler", *(["make_batch_context"] if plan.step.type == "batch_worker" else [])]
    return Block(name, lines, frozenset([module, *(Import(TESTING, each) for each in used)]))


def _run(plan: StepPlan, target: Target, module: Import) -> Call:
    handler = Raw(f"{module.name or module.module}.{target.name}")
    given: dict[str, Any] = {}
    if target.method != DEFAULT_METHOD:
        given["method"] = target.method
    context = {key: stub for key, stub in _context(plan) if stub}
    if plan.step.type == "batch_worker":
        batch = Call("make_batch_context", [0, plan.batch_size], context)
        return Call("run_handler", [handler, batch], given)
    return Call("run_handler", [handler], {**given, **context})


def _context(plan: StepPlan) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the stub inputs of a first step, or the stub results of the steps before another."""
    yield "inputs", plan.input.stub if plan.input else {}
    results = {each.name: each.stub for each in plan.injected}
    results |= {f"{each.name}_001": each.stub for each in plan.batches}
    yield "dependencies", results
