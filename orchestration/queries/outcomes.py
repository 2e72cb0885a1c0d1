"""Statements about steps that are created while a task runs; the caller holds the task."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from orchestration import sql


class Gate(NamedTuple):
    """A decision or batchable step, with what working out its outcome needs.

    `origin_depth`: so many gates created each other in a row, the last of them this one.
    `has_batches`: it was processed before. `results` is the JSON text of engine.md 6.3.
    """

    step_uuid: UUID
    task_uuid: UUID
    name: str
    step_type: str
    named_task_uuid: UUID
    digest: str
    origin_depth: int
    has_batches: bool
    results: str | None


class PresentStep(NamedTuple):
    """What a task has of one template step."""

    template_step: str
    step_count: int
    is_dynamic: bool
    is_done: bool


class AddedStep(NamedTuple):
    """A step that was created."""

    name: str


class NewSteps(NamedTuple):
    """Steps and edges to add; the keys are those of sql/functions/tasker_add_steps."""

    templates: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    edges: list[tuple[str, str, str]]


def find_gates(step_uuids: Sequence[UUID]) -> dict[UUID, Gate]:
    """Return decisions and batchable steps by their uuids."""
    rows = sql.fetch(Gate, "outcomes/gates", step_uuids=list(step_uuids))
    return {row.step_uuid: row for row in rows}


def present_steps(task_uuid: UUID, *, finished: Sequence[UUID]) -> list[PresentStep]:
    """Return what a task has of each template step; steps in `finished` count as done."""
    return sql.fetch(
        PresentStep, "outcomes/present_steps", task_uuid=task_uuid, finished=list(finished)
    )


def add_steps(gate: Gate, new: NewSteps) -> set[str]:
    """Create steps with `gate` as their origin; return the names that were not there before."""
    rows = sql.fetch(
        AddedStep,
        "outcomes/add_steps",
        task_uuid=gate.task_uuid,
        origin_uuid=gate.step_uuid,
        templates=json.dumps(new.templates),
        steps=json.dumps(new.steps),
        edges=json.dumps(new.edges),
    )
    return {row.name for row in rows}
