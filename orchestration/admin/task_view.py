"""One task as its page sees it: everything is read once, at the first part that needs it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from orchestration.admin.addresses import address_of
from orchestration.pictures import Picture, task_picture
from orchestration.pictures.timeline import StateChange, TimelineRow, timeline_rows
from orchestration.queries.task_graph import TaskGraph, find_task_graph
from orchestration.queries.task_page import Move, StepLine, find_moves, find_steps
from orchestration.states import TERMINAL_TASK_STATES, StepState, TaskState

MOST_STEPS = 5000
MOST_MOVES = 20_000
ACTIVE_STATES = frozenset({TaskState.STEPS_IN_PROCESS, TaskState.WAITING_FOR_RETRY})


class StepCounts(NamedTuple):
    """What the steps add up to, under the names that the actions look for."""

    total_steps: int
    completed_steps: int
    failed_steps: int


@dataclass
class TaskView:
    """A task, whose steps, moves and graph are read when a part of the page asks for them."""

    task_uuid: UUID
    task_state: str

    @cached_property
    def graph(self) -> TaskGraph:
        """The graph; raises `LookupError` when the task is gone."""
        found = find_task_graph(self.task_uuid)
        if found is None:
            raise LookupError(f"There is no task {self.task_uuid}")
        return found

    @cached_property
    def picture(self) -> Picture:
        """What is drawn of the graph."""
        return task_picture(self.graph)

    @cached_property
    def steps(self) -> list[StepLine]:
        """The steps in the order of their creation."""
        return find_steps(self.task_uuid, limit=MOST_STEPS)

    @cached_property
    def moves(self) -> list[Move]:
        """The moves of the task and its steps, the newest first."""
        return find_moves(self.task_uuid, limit=MOST_MOVES)

    @cached_property
    def timeline(self) -> list[TimelineRow]:
        """The rows of the timeline."""
        changes = (
            StateChange(move.step_name, move.at, move.to_state, move.attempt or 0)
            for move in reversed(self.moves)
            if move.step_uuid is not None
        )
        return timeline_rows(changes, now=self.now)

    @cached_property
    def now(self) -> datetime:
        """The moment of the page."""
        return timezone.now()

    @cached_property
    def counts(self) -> StepCounts:
        """How many steps there are, are done, and failed."""
        done = sum(step.is_done for step in self.steps)
        failed = sum(step.state == StepState.ERROR for step in self.steps)
        return StepCounts(len(self.steps), done, failed)

    @property
    def parents(self) -> dict[str, list[str]]:
        """Which steps each step waits for, by their names."""
        names = {node.id: node.name for node in self.picture.nodes}
        found: dict[str, list[str]] = {}
        for edge in self.picture.edges:
            found.setdefault(names[edge.target], []).append(names[edge.source])
        return found


def is_resting(state: str) -> bool:
    """Tell whether no move of the task will come by itself."""
    return state in TERMINAL_TASK_STATES or state == TaskState.BLOCKED_BY_FAILURES


def step_address(step_uuid: UUID) -> str:
    """Return the address of a step's page."""
    return address_of("orchestration.workflowstep", step_uuid)
