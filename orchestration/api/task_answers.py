"""The answers about tasks, put together from a few queries each (api-and-operations 1.6, 1.7)."""

from math import ceil
from typing import Any
from uuid import UUID

from orchestration.access.permissions import Permission
from orchestration.access.principals import Principal
from orchestration.api.task_bodies import by_task, task_body
from orchestration.api.task_query import TaskQuery
from orchestration.errors import NotFoundError
from orchestration.queries.readiness import TaskContext, step_readiness, task_contexts
from orchestration.queries.task_list import TaskPage, TaskRow, find_task


def task_answer(task_uuid: UUID, principal: Principal, *, is_own: bool = False) -> dict[str, Any]:
    """Return the body about one task in three queries; raises `NotFoundError`.

    `is_own`: the caller has just sent the context and may see it again.
    """
    row, context = _found(task_uuid, principal)
    shows_context = is_own or principal.may(Permission.TASKS_CONTEXT_READ)
    return task_body(row, context, step_readiness([task_uuid]), shows_context=shows_context)


def task_line(task_uuid: UUID, principal: Principal) -> dict[str, Any]:
    """Return the body about one task as lists have it: no steps, no context."""
    return task_body(*_found(task_uuid, principal), shows_context=False)


def _found(task_uuid: UUID, principal: Principal) -> tuple[TaskRow, TaskContext]:
    row = find_task(task_uuid, principal.scope)
    contexts = task_contexts([task_uuid]) if row else []
    if row is None or not contexts:
        raise NotFoundError(f"There is no task {task_uuid}")
    return row, contexts[0]


def page_answer(found: TaskPage, asked: TaskQuery) -> dict[str, Any]:
    """Return the body about one page of tasks."""
    return {"tasks": _rows(found, asked), "pagination": _pagination(found, asked)}


def _rows(found: TaskPage, asked: TaskQuery) -> list[dict[str, Any]]:
    """Return the bodies of a page; one query for the counts of all, one more for steps."""
    uuids = [row.task_uuid for row in found.rows]
    contexts = {context.task_uuid: context for context in task_contexts(uuids)} if uuids else {}
    steps = by_task(step_readiness(uuids)) if uuids and "steps" in asked.includes else {}
    return [
        task_body(
            row,
            contexts[row.task_uuid],
            steps.get(row.task_uuid, ()),
            shows_context="context" in asked.includes,
        )
        for row in found.rows
        if row.task_uuid in contexts  # purged since the page was read
    ]


def _pagination(found: TaskPage, asked: TaskQuery) -> dict[str, Any]:
    """Return where a page stands; behind a task nothing is counted."""
    total = found.total
    return {
        "page": asked.page if total else None,
        "per_page": asked.per_page,
        "total_count": total.number if total else None,
        "total_pages": ceil(total.number / asked.per_page) if total else None,
        "total_is_estimate": total is not None and not total.is_exact,
        "has_next": found.has_next,
        "has_previous": total is None or asked.page > 1,
    }
