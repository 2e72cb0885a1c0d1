"""The history: every move of a task and its steps, and the attempts of one step."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration.access.guard import scope_of_request
from orchestration.access.permissions import Permission
from orchestration.api.history_bodies import AuditSerializer, TransitionSerializer
from orchestration.api.query import choice, documented, integer, read_query, read_uuid
from orchestration.api.steps import STEP_PATH
from orchestration.api.tasks import TASK_PATH
from orchestration.api.view import ApiView, require_task
from orchestration.errors import NotFoundError
from orchestration.queries.step_audit import find_audit
from orchestration.queries.step_list import find_step
from orchestration.queries.task_history import find_moves

PARAMETERS = [
    choice("subject", "Moves of the task, or of its steps, only.", choices=("task", "step")),
    integer("limit", "Most moves to return.", least=1, greatest=10_000, default=1000),
    integer("offset", "Moves to leave out.", least=0, greatest=2**31 - 1, default=0),
]


class TransitionsView(ApiView):
    """The moves of a task and of its steps."""

    required_permissions: ClassVar = {"GET": Permission.TASKS_READ}

    @extend_schema(
        operation_id="list_transitions",
        tags=["tasks"],
        summary="List the moves of a task and of its steps in order",
        parameters=[TASK_PATH, *documented(PARAMETERS)],
        responses=TransitionSerializer(many=True),
    )
    def get(self, request: Request, task_uuid: str) -> Response:
        """Return who moved what, when and why."""
        asked: dict[str, Any] = read_query(request, PARAMETERS)
        uuid = read_uuid(task_uuid, "task")
        require_task(request, uuid)
        return Response(TransitionSerializer(find_moves(uuid, **asked), many=True).data)


class StepAuditView(ApiView):
    """The attempts of a step."""

    required_permissions: ClassVar = {"GET": Permission.STEPS_READ}

    @extend_schema(
        operation_id="list_step_audit",
        tags=["steps"],
        summary="List the attempts of a step that reported, newest first",
        parameters=[TASK_PATH, STEP_PATH],
        responses=AuditSerializer(many=True),
    )
    def get(self, request: Request, task_uuid: str, step_uuid: str) -> Response:
        """Return attempts; earlier results are not kept."""
        read_query(request, ())
        task, step = read_uuid(task_uuid, "task"), read_uuid(step_uuid, "step")
        if find_step(task, step, scope_of_request(request)) is None:
            raise NotFoundError(f"Task {task} has no step {step}")
        return Response(AuditSerializer(find_audit(task, step), many=True).data)
