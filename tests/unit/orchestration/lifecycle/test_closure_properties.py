"""Whatever the template, the outcomes and the order of events: nothing is released early (10.1).

A random template runs to its end in memory: steps end in an order of chance, gates say what was
chosen for them, `grow` does the rest.
`TASKER_PROPERTY_EXAMPLES=50000 pytest …` looks further.
"""

import os
import random
from collections import defaultdict
from typing import NamedTuple

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orchestration.lifecycle.closure import GATE_TYPES, Present, grow
from orchestration.testing import shape
from templates_registry import dag
from templates_registry.schema import TaskTemplate

EXAMPLES = int(os.environ.get("TASKER_PROPERTY_EXAMPLES", "0"))
RULES = settings(
    max_examples=EXAMPLES or 400,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a seed has no smaller one
)
# A seed instead of a draw for every edge: ten times as many templates in the same time.
SEEDS = st.integers(0, 2**63)
KINDS = ["standard"] * 3 + ["decision"] * 2 + ["deferred_convergence", "batchable", "batch_worker"]
NEVER_NAMED = {"deferred_convergence", "batch_worker"}


class Case(NamedTuple):
    """A template and what each of its gates will say."""

    template: TaskTemplate
    outcomes: dict[str, tuple[str, ...]]


def case_of(chance: random.Random) -> Case:
    graph: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for number in range(chance.randint(8, 16)):
        before = list(graph)
        kind = chance.choice(KINDS) if before else "standard"
        wanted = chance.sample(before[-5:], min(len(before), chance.choice([1, 1, 2, 2])))
        analysers = [name for name in before if kinds[name] == "batchable"]
        if kind == "batch_worker":
            wanted += [name for name in analysers[-2:] if name not in wanted]
            kind = kind if analysers else "standard"
        graph[f"n{number}"], kinds[f"n{number}"] = wanted, kind
    written = chance.sample(list(graph), len(graph))  # order in the file is not running order
    template = shape(
        "random",
        {name: graph[name] for name in written},
        steps={name: {"type": kinds[name]} for name in graph},
    )
    gates = [name for name in graph if kinds[name] in GATE_TYPES]
    return Case(template, {gate: _outcome(chance, template, gate) for gate in gates})


def _outcome(chance: random.Random, template: TaskTemplate, gate: str) -> tuple[str, ...]:
    """Return what a gate will say: some steps behind it, or one batch worker, or nothing."""
    behind = dag.descendants(template.dependencies(), [gate])
    kinds = {step.name: step.type for step in template.steps if step.name in behind}
    if template.step(gate).type == "decision":
        allowed = [name for name, kind in kinds.items() if kind not in NEVER_NAMED]
        count = chance.choice([0, 1, 2, 2, 3])
    else:
        allowed = [name for name, kind in kinds.items() if kind == "batch_worker"]
        count = chance.choice([0, 1, 1])
    return tuple(chance.sample(allowed, min(count, len(allowed))))


class Run:
    """One task from creation to its end; a step of a batch worker is `worker/analyser`."""

    def __init__(self, case: Case) -> None:
        self.template, self.outcomes = case
        self.done: dict[str, bool] = {}
        self.dynamic: set[str] = set()
        self.parents: dict[str, set[str]] = defaultdict(set)
        self.waited_for: dict[str, set[str]] = {}
        """For each step that was not named: the instances of its dependencies at its creation."""
        for step in self.template.steps_at_creation:
            self.done[step.name] = False
            self.parents[step.name] = set(step.dependencies)

    def to_the_end(self, priorities: list[str]) -> None:
        """End ready steps until none is left, always the first in the order of priority."""
        while ready := [name for name in self.done if self._is_ready(name)]:
            name = min(ready, key=lambda each: priorities.index(each.partition("/")[0]))
            self.done[name] = True
            if name in self.outcomes:
                self._speak(name, self.outcomes[name])

    def _is_ready(self, name: str) -> bool:
        return not self.done[name] and all(self.done[each] for each in self.parents[name])

    def instances(self, name: str) -> set[str]:
        return {each for each in self.done if each.partition("/")[0] == name}

    def _speak(self, gate: str, started: tuple[str, ...]) -> None:
        present = {
            step.name: Present(
                is_dynamic=step.name in self.dynamic,
                is_done=all(self.done[each] for each in there),
            )
            for step in self.template.steps
            if (there := self.instances(step.name))
        }
        growth = grow(self.template, present, finished=gate, started=started)
        new = {}
        for name in growth.steps:
            is_worker = self.template.step(name).type == "batch_worker"
            new[name] = f"{name}/{gate}" if is_worker else name
            assert new[name] not in self.done, "created twice"
            self.done[new[name]] = False
            self.dynamic.add(name)
        for edge in growth.edges:
            self.parents[new[edge.child]] |= self.instances(edge.parent)
        for name in set(growth.steps) - set(started):
            self.waited_for[name] = self._instances_of_dependencies(name)

    def _instances_of_dependencies(self, name: str) -> set[str]:
        wanted = self.template.step(name).dependencies
        return {instance for each in wanted for instance in self.instances(each)}

    def early(self) -> set[str]:
        """Return the steps that were created before all they should have waited for was there."""
        return {
            name
            for name, then in self.waited_for.items()
            if then != self._instances_of_dependencies(name)
        }

    def forgotten(self) -> set[str]:
        """Return the steps that should have followed from what was created, and did not."""
        branches = {
            step.name
            for step in self.template.steps
            if step.type != "deferred_convergence"
            and any(self.template.step(each).type == "decision" for each in step.dependencies)
        }
        return {
            step.name
            for step in self.template.steps
            if step.type != "batch_worker"
            and step.name not in branches
            and step.name not in self.done
            and self.dynamic & set(step.dependencies)
        }

    def convergences(self) -> dict[str, set[str]]:
        """Return the parents of every convergence there is."""
        return {
            step.name: self.parents[step.name]
            for step in self.template.steps
            if step.type == "deferred_convergence" and step.name in self.done
        }


def order_of(case: Case, chance: random.Random) -> list[str]:
    """Return which steps end before which others when both may."""
    return chance.sample(list(case.template.steps_by_name), len(case.template.steps))


@RULES
@given(SEEDS)
def test_what_follows_is_released_once_all_it_waits_for_is_there_and_no_sooner(seed):
    chance = random.Random(seed)  # noqa: S311
    case = case_of(chance)
    run = Run(case)

    run.to_the_end(order_of(case, chance))

    assert run.early() == set()
    assert run.forgotten() == set()
    assert all(run.done.values()), "a step waits for ever"
    for child, parents in run.convergences().items():
        assert parents == run.waited_for[child], "a convergence waits for what there is, no more"


@RULES
@given(SEEDS)
def test_order_of_events_does_not_change_what_a_task_becomes(seed):
    chance = random.Random(seed)  # noqa: S311
    case = case_of(chance)
    one, other = Run(case), Run(case)

    one.to_the_end(order_of(case, chance))
    other.to_the_end(order_of(case, chance))

    assert set(one.done) == set(other.done)
    assert one.convergences() == other.convergences()
