"""Tasks: create, list, look at, act upon."""

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration import backpressure
from orchestration.access.guard import principal_of
from orchestration.access.permissions import Permission
from orchestration.api.parsers import body_of, read_body
from orchestration.api.query import documented, read_query, read_uuid, text
from orchestration.api.task_bodies import (
    TaskActionSerializer,
    TaskListSerializer,
    TaskSerializer,
    by_task,
    task_body,
)
from orchestration.api.task_query import TaskQuery, parameters, read_task_query
from orchestration.api.view import ApiView
from orchestration.errors import InvalidRequestError, NotFoundError, Problem, TryLaterError
from orchestration.lifecycle import operator_actions, task_initializer
from orchestration.lifecycle.operator_actions import Acted
from orchestration.lifecycle.task_initializer import CreatedTask
from orchestration.lifecycle.task_request import TaskRequest
from orchestration.queries.readiness import step_readiness, task_contexts
from orchestration.queries.task_list import TaskPage, find_task, find_tasks

TASK_PATH = OpenApiParameter("task_uuid", OpenApiTypes.UUID, OpenApiParameter.PATH)
REASON = text("reason", "Why; stands in the history.", longest=500, default="")
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The same as `idempotency_key` in the body.",
)
PUBLISHED_BODY = OpenApiExample(
    "As published for Tasker Core",
    request_only=True,
    value={
        "template_name": "process_order",
        "namespace": "order_fulfillment",
        "configuration": {"customer": {"id": "c-1"}, "items": [{"sku": "A-1", "quantity": 2}]},
    },
)
Action = Callable[..., Acted]
ACTIONS: Mapping[str, tuple[Permission, Action]] = {
    "retry_failed_steps": (Permission.STEPS_RESOLVE, operator_actions.retry_failed_steps),
    "reset": (Permission.STEPS_RESOLVE, operator_actions.reset_task),
    "give_up": (Permission.TASKS_CANCEL, operator_actions.give_up_task),
    "resolve_manually": (Permission.TASKS_CANCEL, operator_actions.resolve_task),
}


class TasksView(ApiView):
    """All tasks."""

    required_permissions: ClassVar = {
        "POST": Permission.TASKS_CREATE,
        "GET": Permission.TASKS_LIST,
    }

    @extend_schema(
        operation_id="create_task",
        tags=["tasks"],
        summary="Create a task",
        description=(
            "Only the name of the template is needed. `template_name` is understood for `name`, "
            "`configuration` for `context`; fields that are not known are ignored."
        ),
        request=TaskRequest,
        parameters=[IDEMPOTENCY_KEY],
        examples=[PUBLISHED_BODY],
        responses={
            201: OpenApiResponse(TaskSerializer, "Created; `Location` is its path."),
            200: OpenApiResponse(
                TaskSerializer,
                "The task that the same request with the same key made before; the header "
                "`Idempotent-Replayed` is `true`.",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Create a task, or answer with the one that the same request made."""
        principal = principal_of(request)
        wanted = TaskRequest.parse(_completed(request, initiator=principal.name))
        if wanted.bypass_steps:
            principal.require(Permission.STEPS_RESOLVE)
        created = _create_or_find(wanted, actor=principal.name)
        path = reverse("task", kwargs={"task_uuid": created.task_uuid})
        mark = {} if created.created else {"Idempotent-Replayed": "true"}
        return Response(
            _answer(created.task_uuid, shows_context=True),
            status=201 if created.created else 200,
            headers={"Location": path, **mark},
        )

    @extend_schema(
        operation_id="list_tasks",
        tags=["tasks"],
        summary="List tasks",
        parameters=documented(parameters()),
        responses=TaskListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return one page of the tasks that the query keeps."""
        asked = read_task_query(request)
        if "context" in asked.includes:
            principal_of(request).require(Permission.TASKS_CONTEXT_READ)
        found = find_tasks(
            asked.wanted,
            order=asked.order,
            page=asked.page,
            per_page=asked.per_page,
            with_context="context" in asked.includes,
        )
        return Response({"tasks": _rows(found, asked), "pagination": _pagination(found, asked)})


class TaskView(ApiView):
    """One task."""

    required_permissions: ClassVar = {
        "GET": Permission.TASKS_READ,
        "PATCH": None,  # by the action: see ACTIONS
        "DELETE": Permission.TASKS_CANCEL,
    }

    @extend_schema(
        operation_id="get_task",
        tags=["tasks"],
        summary="Look at a task",
        parameters=[TASK_PATH],
        responses=TaskSerializer,
    )
    def get(self, request: Request, task_uuid: str) -> Response:
        """Return a task with its steps."""
        read_query(request, ())
        return _task_response(request, read_uuid(task_uuid, "task"))

    @extend_schema(
        operation_id="act_on_task",
        tags=["tasks"],
        summary="Retry the failed steps of a task, reset it, give it up, or close it by hand",
        description="`reset` and `retry_failed_steps` need the permission `steps:resolve`, the "
        "others `tasks:cancel`.",
        parameters=[TASK_PATH],
        request=TaskActionSerializer,
        responses=TaskSerializer,
    )
    def patch(self, request: Request, task_uuid: str) -> Response:
        """Carry an operator's action out."""
        read_query(request, ())
        uuid = read_uuid(task_uuid, "task")
        asked = read_body(request, TaskActionSerializer)
        permission, action = ACTIONS[asked["action_type"]]
        principal = principal_of(request)
        principal.require(permission)
        action(uuid, actor=principal.name, reason=told_reason(asked, "acted_by"))
        return _task_response(request, uuid)

    @extend_schema(
        operation_id="cancel_task",
        tags=["tasks"],
        summary="Cancel a task",
        parameters=[TASK_PATH, *documented([REASON])],
        responses={200: TaskSerializer},
    )
    def delete(self, request: Request, task_uuid: str) -> Response:
        """Cancel a task and its unfinished steps."""
        asked = read_query(request, [REASON])
        uuid = read_uuid(task_uuid, "task")
        actor = principal_of(request).name
        operator_actions.cancel_task(uuid, actor=actor, reason=asked["reason"])
        return _task_response(request, uuid)


def _create_or_find(wanted: TaskRequest, *, actor: str) -> CreatedTask:
    """Create a task unless it is the wrong moment; a replay is answered at any moment."""
    try:
        with backpressure.admit(wanted.namespace):
            return task_initializer.create(wanted, actor=actor)
    except TryLaterError:
        found = task_initializer.find_replay(wanted)
        if found is None:
            raise
        return found


def told_reason(asked: Mapping[str, Any], name_field: str) -> str:
    """Return the reason for the history, with the name that the caller gave for a person."""
    name = asked.get(name_field)
    return f"{asked['reason']} ({name_field}: {name})" if name else str(asked["reason"])


def _completed(request: Request, *, initiator: str) -> dict[str, Any]:
    """Return the body with what the rest of the request says about the task."""
    body = body_of(request)
    if body.get("initiator") is None:
        body["initiator"] = initiator
    if (key := request.headers.get("Idempotency-Key")) is not None:
        if body.get("idempotency_key") not in (None, key):
            problem = Problem("idempotency_key", "differs from the header Idempotency-Key")
            raise InvalidRequestError("Two different keys were given", problems=[problem])
        body["idempotency_key"] = key
    return body


def _task_response(request: Request, task_uuid: UUID) -> Response:
    shows_context = principal_of(request).may(Permission.TASKS_CONTEXT_READ)
    return Response(_answer(task_uuid, shows_context=shows_context))


def _answer(task_uuid: UUID, *, shows_context: bool) -> dict[str, Any]:
    """Return the body about one task in three queries; raises `NotFoundError`."""
    row = find_task(task_uuid)
    contexts = task_contexts([task_uuid]) if row else []
    if row is None or not contexts:
        raise NotFoundError(f"There is no task {task_uuid}")
    return task_body(row, contexts[0], step_readiness([task_uuid]), shows_context=shows_context)


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
    pages = ceil(found.total_count / asked.per_page)
    return {
        "page": asked.page,
        "per_page": asked.per_page,
        "total_count": found.total_count,
        "total_pages": pages,
        "has_next": asked.page < pages,
        "has_previous": asked.page > 1,
    }
