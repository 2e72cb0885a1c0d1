"""What a run does, made from the seed alone: the same seed and numbers give the same plan.

Moments are seconds from the start of the faults. A victim is a list of names, best first: whoever
of them is up at that moment is taken, so the plan does not depend on how fast a process restarts.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.kinds import WEIGHTS
from tests.chaos.workflows import Workflow, make_workflows

SECONDS_PER_FAULT = 1.0
SECONDS_PER_TASK = 0.1  # a slower feed than two cores can work off
ROADS = {"client": 55, "queue": 25, "rest": 20}
ROLLED_BACK_SHARE = 0.06

ORCHESTRATORS = {"orchestrator-1": "Hybrid", "orchestrator-2": "EventDrivenOnly"}
ORCHESTRATORS["orchestrator-3"] = "PollingOnly"
WORKERS = {"worker-1": "Hybrid", "worker-2": "EventDrivenOnly", "worker-3": "Hybrid"}
WORKERS["worker-4"] = "PollingOnly"  # holds no liveness lock: its claims are found by their lease
BY_MESSAGE = frozenset({"worker-3", "worker-4"})
"""Workers whose every report goes by message: `inline_advance` is off."""


@dataclass(frozen=True)
class TaskPlan:
    """One task to create; a rolled back one must not exist afterwards."""

    number: int
    at: float
    workflow: Workflow
    road: str
    is_rolled_back: bool

    def key(self, seed: int) -> str:
        """Return the idempotency key, by which the judge finds the task."""
        return f"chaos-{seed}-{self.number}"


@dataclass(frozen=True)
class FaultPlan:
    """One fault: its moment, whom it may hit, and numbers that say how."""

    number: int
    at: float
    kind: str
    victims: tuple[str, ...]
    seconds: float
    dice: int


@dataclass(frozen=True)
class Plan:
    """Everything a run does."""

    seed: int
    workflows: tuple[Workflow, ...]
    tasks: tuple[TaskPlan, ...]
    faults: tuple[FaultPlan, ...]
    seconds: float

    @property
    def digest(self) -> str:
        """A short text that is the same for the same plan."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    def kinds(self) -> dict[str, int]:
        """Return how often each kind of fault is planned."""
        return dict(sorted(Counter(fault.kind for fault in self.faults).items()))


def make_plan(*, seed: int, tasks: int, faults: int, kinds: Sequence[str] = tuple(WEIGHTS)) -> Plan:
    """Make the plan of a run; `kinds` restricts it to some kinds of faults."""
    seconds = max(faults * SECONDS_PER_FAULT, tasks * SECONDS_PER_TASK, 5.0)
    workflows = make_workflows(_random(seed, "workflows"))
    return Plan(
        seed=seed,
        workflows=workflows,
        tasks=_plan_tasks(_random(seed, "tasks"), tasks, seconds=seconds, workflows=workflows),
        faults=_plan_faults(_random(seed, "faults"), faults, seconds=seconds, kinds=kinds),
        seconds=seconds,
    )


def _random(seed: int, part: str) -> random.Random:
    return random.Random(f"{seed}:{part}")  # noqa: S311 - must be repeatable


def _plan_tasks(
    chance: random.Random, count: int, *, seconds: float, workflows: Sequence[Workflow]
) -> tuple[TaskPlan, ...]:
    weights = [workflow.weight for workflow in workflows]
    planned = []
    for number, at in enumerate(_moments(chance, count, seconds=seconds)):
        (road,) = chance.choices(list(ROADS), list(ROADS.values()))
        (workflow,) = chance.choices(workflows, weights)
        is_rolled_back = road == "client" and chance.random() < ROLLED_BACK_SHARE
        planned.append(TaskPlan(number, at, workflow, road, is_rolled_back))
    return tuple(planned)


def _plan_faults(
    chance: random.Random, count: int, *, seconds: float, kinds: Sequence[str]
) -> tuple[FaultPlan, ...]:
    drawn = _shares({kind: WEIGHTS[kind] for kind in kinds}, count)
    chance.shuffle(drawn)
    moments = _moments(chance, count, seconds=seconds)
    return tuple(
        FaultPlan(
            number=number,
            at=at,
            kind=kind,
            victims=_victims(chance, kind),
            seconds=round(chance.uniform(0.5, 2.5), 3),
            dice=chance.randrange(1_000_000),
        )
        for number, (at, kind) in enumerate(zip(moments, drawn, strict=True))
    )


def _victims(chance: random.Random, kind: str) -> tuple[str, ...]:
    """Return the names a fault may hit, in random order."""
    if kind.endswith("_worker"):
        names = list(WORKERS)
    elif kind.endswith("_orchestrator"):
        names = list(ORCHESTRATORS)
    else:
        names = [*WORKERS, *ORCHESTRATORS]
    chance.shuffle(names)
    return tuple(names)


def _moments(chance: random.Random, count: int, *, seconds: float) -> list[float]:
    """Return moments spread over the time, one at a random place of each equal part."""
    width = seconds / count if count else 0
    return [round((part + chance.random()) * width, 3) for part in range(count)]


def _shares(weights: Mapping[str, int], count: int) -> list[str]:
    """Return `count` kinds as near to their shares as whole numbers allow (largest remainder)."""
    total = sum(weights.values())
    exact: dict[str, Any] = {kind: count * weight / total for kind, weight in weights.items()}
    counts = {kind: int(share) for kind, share in exact.items()}
    # Kinds that would get nothing go first: a small run shall see as many kinds as it can.
    by_remainder = sorted(exact, key=lambda kind: (counts[kind] > 0, counts[kind] - exact[kind]))
    for kind in by_remainder[: count - sum(counts.values())]:
        counts[kind] += 1
    return [kind for kind, number in counts.items() for _ in range(number)]
