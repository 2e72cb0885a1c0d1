"""Tasks and steps as plain JSON in the shape of the REST answers, read in this process.

For code that runs inside Tasker and therefore may see everything; who asks over HTTP goes through
`orchestration.api`, which asks for permissions first.
"""

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python

from orchestration.errors import NotFoundError
from orchestration.queries.readiness import StepReadiness, step_readiness, task_contexts
from orchestration.queries.scope import EVERYTHING
from orchestration.queries.step_audit import find_audit
from orchestration.queries.step_list import StepRow, find_step, find_steps
from orchestration.queries.task_list import TaskFilter, TaskPage, TaskRow, find_task, find_tasks

Json = dict[str, Any]
MAX_STEPS = 10_000


def look_at_task(task_uuid: UUID) -> Json:
    """Return a task with its steps; raises NotFoundError."""
    row = find_task(task_uuid, EVERYTHING)
    if row is None:
        raise NotFoundError(f"There is no task {task_uuid}")
    return _tasks([row])[0]


def list_tasks(wanted: TaskFilter, *, limit: int, offset: int) -> Json:
    """Return a page of tasks, the newest first, with where it stands among all of them."""
    found = _rows(wanted, limit=limit, offset=offset)
    total = found.total.number if found.total else 0
    return {
        "tasks": _tasks(found.rows),
        "pagination": {
            "page": offset // limit + 1,
            "per_page": limit,
            "total_count": total,
            "total_pages": ceil(total / limit),
            "has_next": found.has_next,
            "has_previous": offset > 0,
        },
    }


def list_steps(task_uuid: UUID) -> list[Json]:
    """Return the steps of a task in the order of creation; raises NotFoundError."""
    if find_task(task_uuid, EVERYTHING) is None:
        raise NotFoundError(f"There is no task {task_uuid}")
    return _steps(task_uuid, find_steps(task_uuid, limit=MAX_STEPS).rows)


def look_at_step(task_uuid: UUID, step_uuid: UUID) -> Json:
    """Return a step; raises NotFoundError."""
    return _steps(task_uuid, [_required_step(task_uuid, step_uuid)])[0]


def list_attempts(task_uuid: UUID, step_uuid: UUID) -> list[Json]:
    """Return the attempts of a step that reported something; raises NotFoundError."""
    _required_step(task_uuid, step_uuid)
    return [_plain(each._asdict()) for each in find_audit(task_uuid, step_uuid)]


def _rows(wanted: TaskFilter, *, limit: int, offset: int) -> TaskPage:
    """Return rows from any offset on; the query itself knows whole pages only."""
    first, skipped = divmod(offset, limit)
    pages = range(first + 1, first + (3 if skipped else 2))
    found = [
        find_tasks(
            wanted, EVERYTHING, order="-created_at", page=page, per_page=limit, with_context=True
        )
        for page in pages
    ]
    rows = [row for page in found for row in page.rows]
    has_next = found[-1].has_next or len(rows) > skipped + limit
    return TaskPage(rows[skipped : skipped + limit], found[0].total, has_next)


def _tasks(rows: Iterable[TaskRow]) -> list[Json]:
    """Return the answers about some tasks: one query for the counts of all, one for the steps."""
    rows = list(rows)
    uuids = [row.task_uuid for row in rows]
    if not uuids:
        return []
    contexts = {each.task_uuid: each._asdict() for each in task_contexts(uuids)}
    steps: dict[UUID, list[StepReadiness]] = {}
    for step in step_readiness(uuids):
        steps.setdefault(step.task_uuid, []).append(step)
    return [
        _plain(
            {
                **contexts[row.task_uuid],
                **row._asdict(),
                "completion_percentage": float(contexts[row.task_uuid]["completion_percentage"]),
                "steps": [step._asdict() for step in steps.get(row.task_uuid, ())],
            }
        )
        for row in rows
        if row.task_uuid in contexts  # purged since the page was read
    ]


def _steps(task_uuid: UUID, rows: Iterable[StepRow]) -> list[Json]:
    rows = list(rows)
    found = step_readiness([task_uuid], [row.step_uuid for row in rows]) if rows else []
    readiness = {each.workflow_step_uuid: each._asdict() for each in found}
    return [_plain({**readiness.get(row.step_uuid, {}), **row._asdict()}) for row in rows]


def _required_step(task_uuid: UUID, step_uuid: UUID) -> StepRow:
    row = find_step(task_uuid, step_uuid, EVERYTHING)
    if row is None:
        raise NotFoundError(f"Task {task_uuid} has no step {step_uuid}")
    return row


def _plain(values: Mapping[str, Any]) -> Json:
    plain: Json = to_jsonable_python(values)
    return plain
