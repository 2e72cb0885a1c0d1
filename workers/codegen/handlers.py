"""`step_handlers.py`: a handler for every step of a template, to be filled in.

One decorated function for each step; steps that share a callable, or name a method of it, get a
class. What the handlers return makes the workflow run before the first of them is written.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from workers.codegen.functions import function_block
from workers.codegen.imports import NAMES
from workers.codegen.methods import class_block, is_method_name
from workers.codegen.module import Block
from workers.codegen.naming import TAKEN_BY_PYTHON, Names, class_name, distinct, variable
from workers.codegen.plans import DEFAULT_METHOD, MODELS, Plans, StepPlan
from workers.codegen.present import Present

# Names that the generated handlers themselves refer to, or other kinds of them.
_USED = frozenset(["Any", MODELS, *NAMES])
_AVOIDED = TAKEN_BY_PYTHON | _USED


@dataclass(frozen=True)
class Target:
    """What runs a step in the generated module: a function, or a method of a class."""

    name: str
    method: str = DEFAULT_METHOD


@dataclass
class Handlers:
    """The blocks of a handler module, and what in it runs which step."""

    blocks: list[Block] = field(default_factory=list)
    targets: dict[str, Target] = field(default_factory=dict)  # by the name of the step
    warnings: list[str] = field(default_factory=list)


def make_handlers(plans: Plans, *, present: Present) -> Handlers:
    """Return handlers for the steps of the plans; those that are present keep their names."""
    made = Handlers()
    groups = _by_callable(plans.steps)
    shared = {called: group for called, group in groups.items() if _needs_class(group)}
    classes = _class_names(shared, present)
    functions = _function_names(groups.keys() - shared.keys(), plans, present, classes.values())
    for called, group in groups.items():
        if called in shared:
            _add_class(made, classes[called], group, plans)
        else:
            name = present.handlers.get(called) or functions[group[0].name]
            made.targets[group[0].name] = Target(name)
            if called not in present.handlers:
                made.blocks.append(function_block(group[0], name, plans))
    return made


def _by_callable(plans: Iterable[StepPlan]) -> dict[str, list[StepPlan]]:
    groups: dict[str, list[StepPlan]] = {}
    for each in plans:
        groups.setdefault(each.step.handler.callable, []).append(each)
    return groups


def _needs_class(group: list[StepPlan]) -> bool:
    return len(group) > 1 or group[0].step.handler.method != DEFAULT_METHOD


def _class_names(callables: Iterable[str], present: Present) -> dict[str, str]:
    names = Names(present.names | _USED)
    known = {each: present.handlers[each] for each in callables if each in present.handlers}
    return {
        each: known.get(each) or names.take(_wanted_class(each), separator="") for each in callables
    }


def _wanted_class(called: str) -> str:
    """Return the last part of a callable: as it is when it names a class, else as a handler."""
    last = re.split(r"[.:/]", called.rstrip(".:/"))[-1]
    name = class_name(last)
    return name if last == name else f"{name}Handler"


def _function_names(
    callables: Iterable[str], plans: Plans, present: Present, classes: Iterable[str]
) -> dict[str, str]:
    """Return the names of the functions to write, by the names of their steps."""
    wanted = [
        each.name
        for each in plans.steps
        if each.step.handler.callable in callables
        and each.step.handler.callable not in present.handlers
    ]
    taken = present.names | set(classes)
    return distinct(wanted, lambda name: variable(name, avoid=_AVOIDED), taken=taken)


def _add_class(made: Handlers, name: str, group: list[StepPlan], plans: Plans) -> None:
    methods: dict[str, StepPlan] = {}
    for each in group:
        method = each.step.handler.method
        if is_method_name(method):
            methods.setdefault(method, each)
            made.targets[each.name] = Target(name, method)
        else:
            text = f"{each.name}: not written, because {method!r} cannot be a method of a handler."
            made.warnings.append(text)
    if methods:
        made.blocks.append(class_block(name, methods, plans))
