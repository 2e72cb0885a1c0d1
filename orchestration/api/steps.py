"""The steps of a task: list, look at, act upon."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration.access.guard import principal_of, scope_of_request
from orchestration.access.permissions import Permission
from orchestration.api.parsers import read_body
from orchestration.api.query import choice, documented, integer, listed, read_query, read_uuid
from orchestration.api.schema import total_count
from orchestration.api.step_answers import require_step, step_answer, step_answers
from orchestration.api.step_bodies import StepActionSerializer, StepSerializer
from orchestration.api.tasks import TASK_PATH, told_reason
from orchestration.api.view import ApiView, require_task
from orchestration.lifecycle import operator_actions
from orchestration.queries.step_list import find_steps
from orchestration.queries.transactions import atomically
from orchestration.states import StepState

STEP_PATH = OpenApiParameter("step_uuid", OpenApiTypes.UUID, OpenApiParameter.PATH)
PARAMETERS = [
    listed(
        choice("state", "Any of these states, also separated by commas.", choices=StepState.values),
        commas=True,
    ),
    integer("limit", "Most steps to return.", least=1, greatest=5000, default=1000),
    integer("offset", "Steps to leave out.", least=0, greatest=2**31 - 1, default=0),
]
NAMES = {
    "reset_for_retry": "reset_by",
    "resolve_manually": "resolved_by",
    "complete_manually": "completed_by",
}


class StepsView(ApiView):
    """All steps of a task."""

    required_permissions: ClassVar = {"GET": Permission.STEPS_READ}

    @extend_schema(
        operation_id="list_steps",
        tags=["steps"],
        summary="List the steps of a task",
        parameters=[
            TASK_PATH,
            *documented(PARAMETERS),
            total_count("steps"),
        ],
        responses=StepSerializer(many=True),
    )
    def get(self, request: Request, task_uuid: str) -> Response:
        """Return steps in the order of creation."""
        asked = read_query(request, PARAMETERS)
        uuid = read_uuid(task_uuid, "task")
        require_task(request, uuid)
        found = find_steps(
            uuid, states=asked["state"], offset=asked["offset"], limit=asked["limit"]
        )
        return Response(
            step_answers(uuid, found.rows), headers={"X-Total-Count": str(found.total_count)}
        )


class StepView(ApiView):
    """One step of a task."""

    required_permissions: ClassVar = {
        "GET": Permission.STEPS_READ,
        "PATCH": Permission.STEPS_RESOLVE,
    }

    @extend_schema(
        operation_id="get_step",
        tags=["steps"],
        summary="Look at a step",
        parameters=[TASK_PATH, STEP_PATH],
        responses=StepSerializer,
    )
    def get(self, request: Request, task_uuid: str, step_uuid: str) -> Response:
        """Return one step."""
        read_query(request, ())
        return Response(step_answer(*_ids(task_uuid, step_uuid), scope_of_request(request)))

    @extend_schema(
        operation_id="act_on_step",
        tags=["steps"],
        summary="Let a failed step run again, treat a step as done, or give it a result",
        parameters=[TASK_PATH, STEP_PATH],
        request=StepActionSerializer,
        responses=StepSerializer,
    )
    def patch(self, request: Request, task_uuid: str, step_uuid: str) -> Response:
        """Carry an operator's action out."""
        read_query(request, ())
        task, step = _ids(task_uuid, step_uuid)
        asked = read_body(request, StepActionSerializer)
        principal = principal_of(request)
        require_step(task, step, principal.scope)  # a step of another task is not found
        kind = asked["action_type"]
        reason, given = told_reason(asked, NAMES[kind]), asked.get("completion_data", {})

        def work() -> dict[str, Any]:
            ACTIONS[kind](step, actor=principal.name, reason=reason, **given)
            return step_answer(task, step, principal.scope)

        return Response(atomically(work))


ACTIONS: Mapping[str, Callable[..., Any]] = {
    "reset_for_retry": operator_actions.reset_step,
    "resolve_manually": operator_actions.resolve_step,
    "complete_manually": operator_actions.complete_step,
}


def _ids(task_uuid: str, step_uuid: str) -> tuple[UUID, UUID]:
    return read_uuid(task_uuid, "task"), read_uuid(step_uuid, "step")
