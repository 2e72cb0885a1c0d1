"""The answer that sums a task up, put together from a few queries (api-and-operations 1.8)."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.urls import reverse

from orchestration.api.summary_bodies import TaskSummarySerializer
from orchestration.api.task_bodies import task_body
from orchestration.errors import NotFoundError
from orchestration.models import DlqResolution
from orchestration.queries.dlq import entry_of_task
from orchestration.queries.readiness import step_readiness, task_contexts
from orchestration.queries.scope import Scope
from orchestration.queries.task_graph import TaskGraph, find_task_graph
from orchestration.queries.task_list import find_task
from orchestration.queries.task_summary import find_errors
from templates_registry.schema import TaskTemplate


def summary_answer(task_uuid: UUID, scope: Scope) -> dict[str, Any]:
    """Return the summary of a task in seven queries; raises `NotFoundError`."""
    row = find_task(task_uuid, scope)
    contexts = task_contexts([task_uuid]) if row else []
    graph = find_task_graph(task_uuid) if contexts else None
    if row is None or graph is None:
        raise NotFoundError(f"There is no task {task_uuid}")
    body: dict[str, Any] = TaskSummarySerializer(
        {
            "task": task_body(row, contexts[0], shows_context=False),
            "template": _template(graph.template),
            "steps": list(_steps(graph)),
            "dlq": _dlq(task_uuid, scope),
            "links": _links(task_uuid),
        }
    ).data
    return body


def _template(template: TaskTemplate) -> dict[str, Any]:
    steps = [
        {
            "name": step.name,
            "step_type": step.type,
            "handler": step.handler.callable,
            "dependencies": step.dependencies,
            "retryable": step.retry.retryable,
            "max_attempts": step.retry.max_attempts,
        }
        for step in template.steps
    ]
    return {
        "name": template.name,
        "namespace": template.namespace_name,
        "version": template.version,
        "steps": steps,
    }


def _steps(graph: TaskGraph) -> Iterator[dict[str, Any]]:
    """Yield the steps in the order of creation."""
    task_uuid = graph.task.task_uuid
    readiness = {each.workflow_step_uuid: each for each in step_readiness([task_uuid])}
    errors = find_errors(task_uuid)
    for step in sorted(graph.steps, key=lambda each: (each.created_at, each.step_uuid)):
        ready = readiness.get(step.step_uuid)
        if ready is None:  # it came while we looked
            continue
        told = {**ready._asdict(), **step._asdict()}
        error = errors.get(step.step_uuid)
        yield {**told, "error": error} if error else told


def _dlq(task_uuid: UUID, scope: Scope) -> dict[str, Any]:
    entry = entry_of_task(task_uuid, scope)
    return {
        "in_dlq": entry is not None and entry.resolution_status == DlqResolution.PENDING,
        "dlq_reason": entry.dlq_reason if entry else None,
        "resolution_status": entry.resolution_status if entry else None,
    }


def _links(task_uuid: UUID) -> dict[str, str]:
    path = {"task_uuid": task_uuid}
    return {
        "task": reverse("task", kwargs=path),
        "steps": reverse("steps", kwargs=path),
        "dlq": reverse("dlq-task", kwargs=path),
    }
