"""Templates, and rows of tasks, for pictures: without a database."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from orchestration.queries.task_graph import GraphStep, TaskGraph, TaskHead
from templates_registry.schema import TaskTemplate

CREATED_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TASK_UUID = UUID(int=7)


def template(*steps: Mapping[str, Any], name: str = "t") -> TaskTemplate:
    """Return a template; a step needs no more than its name."""
    listed = [{"handler": {"callable": f"do.{n}"}, **step} for n, step in enumerate(steps)]
    return TaskTemplate.model_validate(
        {"name": name, "namespace_name": "n", "version": "1.0.0", "steps": listed}
    )


def step_row(name: str, state: str = "complete", **columns: Any) -> GraphStep:
    """Return the row of a step; its uuid is its name's number in `step_uuid_of`."""
    known: dict[str, Any] = {
        "step_uuid": step_uuid_of(name),
        "name": name,
        "step_type": "standard",
        "state": state,
        "attempts": 1,
        "max_attempts": 3,
        "batch_id": None,
        "created_at": CREATED_AT,
        "last_attempted_at": None,
        "completed_at": None,
        "error_type": None,
    }
    return GraphStep(**{**known, **columns})


def step_uuid_of(name: str) -> UUID:
    """Return the uuid that `step_row` gives to a step."""
    return UUID(bytes=name.encode()[-16:].rjust(16, b"\0"))


def instances(worker: str, *states: str) -> list[GraphStep]:
    """Return rows of instances of a batch worker: 001, 002 …"""
    return [
        step_row(f"{worker}_{n:03}", state, step_type="batch_worker", batch_id=f"{n:03}")
        for n, state in enumerate(states, start=1)
    ]


def graph(
    found: TaskTemplate, rows: Sequence[GraphStep], *, state: str = "steps_in_process", **head: Any
) -> TaskGraph:
    """Return a task of a template, 75 seconds old."""
    known: dict[str, Any] = {
        "task_uuid": TASK_UUID,
        "namespace": found.namespace_name,
        "name": found.name,
        "version": found.version,
        "state": state,
        "created_at": CREATED_AT,
        "completed_at": None,
        "seen_at": CREATED_AT + timedelta(seconds=75),
        "completion_percentage": Decimal("50.00"),
        "health_status": "healthy",
        "dlq_reason": None,
        "named_task_uuid": UUID(int=8),
        "digest": "0" * 64,
    }
    return TaskGraph(TaskHead(**{**known, **head}), list(rows), found)
