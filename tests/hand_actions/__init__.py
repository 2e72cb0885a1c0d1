"""Every hand action through every door, as tables that one test walks.

A door is a module with `ACTIONS` (what can be done there, by name, each with how it is done in a
test), `HARMLESS` (what looks like an action and changes nothing that a person answers for) and
`offered()`, which asks the code for all names. So an action that is added to the code without a row
fails the walk (`tests/integration/orchestration/test_hand_actions.py`).
"""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from django.test import Client
from rest_framework.test import APIClient

from orchestration.lifecycle import operator_actions
from orchestration.models import DlqEntry, OperatorRecord, StepTransition, Task, TaskTransition
from orchestration.testing import linear
from tests.factories.ticks import blocked

WHY = "the bank is back"
NAMESPACE = "test"
TEMPLATE = "linear_3"


class World:
    """What there is to act upon: a task blocked by its first step."""

    def __init__(self, api: APIClient, admin: Client) -> None:
        self.api = api
        self.admin = admin
        self.task = Task.objects.get(pk=blocked(linear(3)).task_uuid)
        self.step = self.task.steps.get(name="step_1")
        self.prefix = ""  # of a key that may be ended

    def entry(self) -> DlqEntry:
        """Return the task's investigation, opened by the engine when there is none."""
        if not self.task.dlq_entries.exists():
            operator_actions.move_to_dlq(self.task.pk, actor="system:detector")
        return self.task.dlq_entries.get()


Do = Callable[[World], object]


def nothing(world: World) -> None:
    """Prepare nothing."""


class Action(NamedTuple):
    """One hand action; `prepare` brings the world into a state in which it is possible."""

    do: Do
    prepare: Do = nothing
    why: str = WHY


class Record(NamedTuple):
    """What is kept of one change."""

    who: str | None
    why: str
    before: str | None
    after: str
    is_dated: bool
    is_beginning: bool  # of a thing that did not exist

    def flaws(self, who: str, why: str) -> list[str]:
        """Return what is missing."""
        found = {
            f"who: {self.who}": self.who != who,
            f"why: {self.why}": why not in self.why,
            "when": not self.is_dated,
            "from": not self.before and not self.is_beginning,
            "to": not self.after,
        }
        return [name for name, is_missing in found.items() if is_missing]


def records() -> dict[UUID, Record]:
    """Return every record there is, by its key."""
    moves = [*TaskTransition.objects.all(), *StepTransition.objects.all()]
    found = {
        move.pk: Record(
            move.actor,
            str(move.metadata.get("reason", "")),
            move.from_state,
            move.to_state,
            move.created_at is not None,
            move.from_state is None,  # the database writes that at creation only
        )
        for move in moves
    }
    for row in OperatorRecord.objects.all():
        is_beginning = row.from_value is None and row.action.endswith(".created")
        said = row.from_value if row.action != "namespace.described" else row.from_value or "none"
        is_dated = row.recorded_at is not None
        record = Record(row.actor, row.reason, said, row.to_value, is_dated, is_beginning)
        found[row.pk] = record
    return found
