"""Tasks: create, list, look at, act upon."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration import backpressure
from orchestration.access.guard import principal_of
from orchestration.access.permissions import Permission
from orchestration.access.principals import Principal
from orchestration.api.parsers import body_of, read_body
from orchestration.api.query import documented, read_query, read_uuid, text
from orchestration.api.task_answers import page_answer, task_answer
from orchestration.api.task_bodies import (
    TaskActionSerializer,
    TaskListSerializer,
    TaskSerializer,
)
from orchestration.api.task_query import TaskQuery, parameters, read_task_query
from orchestration.api.view import ApiView, require_task
from orchestration.errors import InvalidRequestError, Problem, TryLaterError
from orchestration.lifecycle import operator_actions, task_initializer
from orchestration.lifecycle.operator_actions import Acted
from orchestration.lifecycle.task_initializer import CreatedTask
from orchestration.lifecycle.task_request import TaskRequest
from orchestration.queries.scope import Scope
from orchestration.queries.task_list import TaskPage, find_tasks, find_tasks_behind
from orchestration.queries.transactions import atomically

TASK_PATH = OpenApiParameter("task_uuid", OpenApiTypes.UUID, OpenApiParameter.PATH)
REASON = text("reason", "Why; stands in the history.", longest=500, default="")
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The same as `idempotency_key` in the body.",
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
        read_query(request, ())
        principal = principal_of(request)
        wanted = TaskRequest.parse(_completed(request, initiator=principal.name))
        if wanted.bypass_steps:
            principal.require(Permission.STEPS_RESOLVE)
        principal.require_namespace(wanted.namespace)
        created, body = atomically(lambda: _created_or_found(wanted, principal))
        path = reverse("task", kwargs={"task_uuid": created.task_uuid})
        mark = {} if created.created else {"Idempotent-Replayed": "true"}
        status = 201 if created.created else 200
        return Response(body, status=status, headers={"Location": path, **mark})

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
        principal = principal_of(request)
        if "context" in asked.includes:
            principal.require(Permission.TASKS_CONTEXT_READ)
        return Response(page_answer(_found(asked, principal.scope), asked))


class TaskView(ApiView):
    """One task."""

    required_permissions: ClassVar = {
        "GET": Permission.TASKS_READ,
        "PATCH": (Permission.STEPS_RESOLVE, Permission.TASKS_CANCEL),  # by the action
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
        return Response(task_answer(read_uuid(task_uuid, "task"), principal_of(request)))

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
        require_task(request, uuid)
        reason = told_reason(asked, "acted_by")
        return Response(atomically(lambda: _acted(action, uuid, principal, reason)))

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
        principal, reason = principal_of(request), str(asked["reason"])
        require_task(request, uuid)
        action = operator_actions.cancel_task
        return Response(atomically(lambda: _acted(action, uuid, principal, reason)))


def _found(asked: TaskQuery, scope: Scope) -> TaskPage:
    with_context = "context" in asked.includes
    if asked.after is not None:
        return find_tasks_behind(
            asked.after, asked.wanted, scope, per_page=asked.per_page, with_context=with_context
        )
    return find_tasks(
        asked.wanted,
        scope,
        order=asked.order,
        page=asked.page,
        per_page=asked.per_page,
        with_context=with_context,
    )


def _acted(action: Action, uuid: UUID, principal: Principal, reason: str) -> dict[str, Any]:
    """Act on a task and return what it is then; one transaction of the caller's."""
    action(uuid, actor=principal.name, reason=reason)
    return task_answer(uuid, principal)


def _created_or_found(
    wanted: TaskRequest, principal: Principal
) -> tuple[CreatedTask, dict[str, Any]]:
    """Create a task unless it is the wrong moment; a replay is answered at any moment."""
    suggest_from = principal.scope.as_parameter()
    try:
        with backpressure.admit(wanted.namespace):
            created = task_initializer.create(
                wanted, actor=principal.name, suggest_from=suggest_from
            )
    except TryLaterError:
        found = task_initializer.find_replay(wanted, suggest_from=suggest_from)
        if found is None:
            raise
        created = found
    return created, task_answer(created.task_uuid, principal, is_own=True)


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
