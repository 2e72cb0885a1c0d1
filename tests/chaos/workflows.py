"""The workflows that a run feeds: graphs of several shapes whose steps behave in planned ways.

What becomes of a task is known beforehand: a step of a failing kind ends in `error`, its
descendants stay `pending`, everything else completes with a value that can be computed. So that a
killed worker cannot change that, a step that shall succeed has many more attempts than it needs.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from orchestration.testing import shape
from templates_registry.schema import TaskTemplate

NAMESPACES = ("chaos_a", "chaos_b")
PATIENT = 40  # attempts of a step that shall succeed: lost workers use some up
BRIEF = 3  # attempts of a step that never succeeds
HANG_SECONDS = 1  # timeout of a step that hangs
CHUNKS = 4  # parts of a step with checkpoints
FAN_WIDTH = 20

CALM = ("plain", "plain", "plain", "atomic", "atomic", "flaky", "atomic_flaky", "checkpoint")
FAILING = ("permanent", "atomic_permanent", "exhausted")


class Expected(NamedTuple):
    """How a step has to end; the value is None unless it completes."""

    state: str
    value: int | None


@dataclass(frozen=True)
class StepPlan:
    """One step and how its handler behaves."""

    name: str
    parents: tuple[str, ...]
    kind: str
    milliseconds: int
    times: int  # attempts that fail or hang before one succeeds

    @property
    def fails(self) -> bool:
        """It ends in `error`."""
        return self.kind in FAILING

    @property
    def stumbles(self) -> bool:
        """Its first attempts fail or hang."""
        return "flaky" in self.kind or self.kind == "hanging"

    @property
    def is_atomic(self) -> bool:
        """Its handler writes a business row in the transaction of its report."""
        return self.kind.startswith("atomic")

    @property
    def max_attempts(self) -> int:
        """Attempts that the template grants."""
        return BRIEF if self.kind == "exhausted" else PATIENT

    def as_template_step(self) -> dict[str, Any]:
        """Return what the template says about the step, beside name and parents."""
        handler = "chaos.atomic" if self.is_atomic else "chaos.plain"
        retry = {"backoff": "exponential", "backoff_base_ms": 100, "max_backoff_ms": 1000}
        said: dict[str, Any] = {
            "handler": {
                "callable": handler,
                "initialization": {
                    "does": self.kind.removeprefix("atomic_"),
                    "parents": list(self.parents),
                    "milliseconds": self.milliseconds,
                    "times": self.times,
                },
            },
            "retry": {"retryable": True, "max_attempts": self.max_attempts, **retry},
        }
        if self.kind == "hanging":
            said["timeout_seconds"] = HANG_SECONDS
        return said


@dataclass(frozen=True)
class Workflow:
    """A template and what becomes of its tasks; `weight` is its share among them."""

    name: str
    namespace: str
    weight: int
    steps: tuple[StepPlan, ...]

    @cached_property
    def expected(self) -> Mapping[str, Expected]:
        """How every step has to end."""
        found: dict[str, Expected] = {}
        for step in self.steps:  # parents come first
            values = [found[parent].value for parent in step.parents]
            if step.fails:
                is_reached = None not in values
                found[step.name] = Expected("error" if is_reached else "pending", None)
            elif None in values:
                found[step.name] = Expected("pending", None)
            else:
                found[step.name] = Expected("complete", 1 + sum(value or 0 for value in values))
        return found

    @property
    def end_state(self) -> str:
        """How a task has to end."""
        states = {each.state for each in self.expected.values()}
        return "complete" if states == {"complete"} else "blocked_by_failures"

    def as_template(self) -> TaskTemplate:
        """Return the template."""
        graph = {step.name: step.parents for step in self.steps}
        said = {step.name: step.as_template_step() for step in self.steps}
        return shape(self.name, graph, steps=said, namespace=self.namespace)


Graph = Sequence[tuple[str, ...]]
"""For every step, by position, the names of its parents; all of them come earlier."""


def make_workflows(chance: random.Random) -> tuple[Workflow, ...]:
    """Make the workflows of a run."""
    found = []
    for number, (kind, weight, graph) in enumerate(_graphs(chance)):
        steps = [_make_step(chance, position, graph[position]) for position in range(len(graph))]
        if kind != "fan" and number % 4 == 1:
            steps = _spoil(chance, steps)
        namespace = NAMESPACES[number % len(NAMESPACES)]
        found.append(Workflow(f"{kind}_{number:02}", namespace, weight, tuple(steps)))
    return tuple(found)


def _graphs(chance: random.Random) -> Iterator[tuple[str, int, Graph]]:
    for length in (2, 3, 4, 5, 6, 4):
        yield "linear", 5, [(_name(n - 1),) if n else () for n in range(length)]
    for _ in range(6):
        yield "diamond", 5, [(), (_name(0),), (_name(0),), (_name(1), _name(2))]
    for _ in range(2):
        middle = [_name(n) for n in range(1, FAN_WIDTH + 1)]
        yield "fan", 2, [(), *[(_name(0),)] * FAN_WIDTH, tuple(middle)]
    for _ in range(12):
        yield "dag", 4, [_random_parents(chance, n) for n in range(chance.randint(4, 10))]


def _random_parents(chance: random.Random, position: int) -> tuple[str, ...]:
    """Return up to three earlier steps; now and then none, which makes another root."""
    count = min(position, chance.choice((0, 1, 1, 2, 2, 3)))
    return tuple(_name(n) for n in sorted(chance.sample(range(position), count)))


def _make_step(chance: random.Random, position: int, parents: tuple[str, ...]) -> StepPlan:
    kind = chance.choice(CALM)
    if chance.random() < 0.04:
        kind = "hanging"
    return StepPlan(
        name=_name(position),
        parents=parents,
        kind=kind,
        milliseconds=chance.choice((10, 50, 100, 200, 400)),
        times=chance.randint(1, 3) if "flaky" in kind else 1,
    )


def _spoil(chance: random.Random, steps: Sequence[StepPlan]) -> list[StepPlan]:
    """Let one step fail for good."""
    spoilt = chance.randrange(len(steps))
    kind = chance.choice(FAILING)
    return [
        StepPlan(step.name, step.parents, kind, step.milliseconds, step.times)
        if position == spoilt
        else step
        for position, step in enumerate(steps)
    ]


def _name(position: int) -> str:
    return f"step_{position:02}"
