"""Many tasks in one call: all of them or none, and one short answer for each."""

from typing import Annotated, Any, ClassVar

from drf_spectacular.utils import OpenApiResponse, extend_schema
from pydantic import BaseModel, Field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration import backpressure
from orchestration.access.guard import principal_of
from orchestration.access.permissions import Permission
from orchestration.access.principals import Principal
from orchestration.api.parsers import body_of
from orchestration.api.query import read_query
from orchestration.api.view import ApiView
from orchestration.errors import InvalidRequestError, Problem, TryLaterError
from orchestration.lifecycle import task_initializer
from orchestration.lifecycle.task_initializer import CreatedTask
from orchestration.lifecycle.task_request import TaskRequest, parse_all
from orchestration.queries.transactions import atomically
from orchestration.states import TaskState

MOST_TASKS = 1000


class TaskRequests(BaseModel):  # for the OpenAPI document; `parse_all` checks each by itself
    """Requests for tasks that are created together."""

    tasks: Annotated[list[TaskRequest], Field(min_length=1, max_length=MOST_TASKS)]


class BulkTaskSerializer(serializers.Serializer[Any]):
    """What became of one request."""

    task_uuid = serializers.UUIDField()
    correlation_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=TaskState.choices)
    created = serializers.BooleanField(
        help_text="False for the task that the same request with the same key made before."
    )


class BulkTasksSerializer(serializers.Serializer[Any]):
    """One answer for each request, in their order."""

    tasks = BulkTaskSerializer(many=True)


class TaskBulkView(ApiView):
    """Tasks that are created together."""

    required_permissions: ClassVar = {"POST": Permission.TASKS_CREATE}

    @extend_schema(
        operation_id="create_tasks",
        tags=["tasks"],
        summary="Create many tasks",
        description=(
            f"Up to {MOST_TASKS} requests as for one task, in one transaction: an error creates "
            "nothing and names the request (`tasks[3].context.items`). Keys stand in the requests."
        ),
        request=TaskRequests,
        responses={
            201: OpenApiResponse(BulkTasksSerializer, "Created, at least one of them."),
            200: OpenApiResponse(BulkTasksSerializer, "All of them were there before."),
        },
    )
    def post(self, request: Request) -> Response:
        """Create tasks, or answer with those that the same requests made."""
        read_query(request, ())
        principal = principal_of(request)
        wanted = parse_all(_completed(each, principal.name) for each in _bodies(request))
        if any(each.bypass_steps for each in wanted):
            principal.require(Permission.STEPS_RESOLVE)
        for namespace in dict.fromkeys(each.namespace for each in wanted):
            principal.require_namespace(namespace)
        made = atomically(lambda: _created_or_found(wanted, principal))
        is_new = any(each.created for each in made)
        mark = {} if is_new else {"Idempotent-Replayed": "true"}
        return Response(_answer(made), status=201 if is_new else 200, headers=mark)


def _bodies(request: Request) -> list[Any]:
    """Return the bodies of the requests; a key for all of them would be none for any."""
    given = body_of(request).get("tasks")
    problem = None
    if "Idempotency-Key" in request.headers:
        problem = Problem("Idempotency-Key", "belongs into the requests, as `idempotency_key`")
    elif not (isinstance(given, list) and 1 <= len(given) <= MOST_TASKS):
        problem = Problem("tasks", f"must be a list of 1 to {MOST_TASKS} requests")
    if problem:
        message = f"Cannot create tasks: {problem.path} {problem.message}"
        raise InvalidRequestError(message, problems=[problem])
    return list(given or ())


def _completed(body: Any, initiator: str) -> Any:
    """Return the body of a request with its caller where it names nobody."""
    if isinstance(body, dict) and body.get("initiator") is None:
        return {**body, "initiator": initiator}
    return body


def _created_or_found(wanted: list[TaskRequest], principal: Principal) -> list[CreatedTask]:
    """Create tasks unless it is the wrong moment; replays are answered at any moment."""
    suggest_from = principal.scope.as_parameter()
    try:
        with backpressure.admit(*dict.fromkeys(each.namespace for each in wanted)):
            return task_initializer.create_many(
                wanted, actor=principal.name, suggest_from=suggest_from
            )
    except TryLaterError:
        found = task_initializer.find_replays(wanted, suggest_from=suggest_from)
        if found is None:
            raise
        return found


def _answer(made: list[CreatedTask]) -> dict[str, Any]:
    return {
        "tasks": [
            {
                "task_uuid": str(each.task_uuid),
                "correlation_id": str(each.correlation_id),
                "status": each.state,
                "created": each.created,
            }
            for each in made
        ]
    }
