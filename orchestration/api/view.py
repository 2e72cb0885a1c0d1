"""The base of the API's views, and the one that answers for every address that is no other's."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration.access.guard import principal_of, scope_of_request
from orchestration.errors import NotFoundError
from orchestration.http.view import ApiView
from orchestration.queries.step_list import has_task

__all__ = ["ApiView", "NothingHere", "require_task"]


class NothingHere(ApiView):
    """Every address below /v1/ that is no other view's."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer like any other view that nobody may use, then with 404."""
        principal_of(request)
        raise NotFoundError(f"There is nothing at {request.path}; see /api-docs/ui")

    @extend_schema(exclude=True)
    def get(self, request: Request, **rest: Any) -> Response:
        """Never reached."""
        raise AssertionError("initial() raises")


def require_task(request: Request, task_uuid: UUID) -> None:
    """Raise `NotFoundError` for a task that is unknown or outside of the caller's scope."""
    if not has_task(task_uuid, scope_of_request(request)):
        raise NotFoundError(f"There is no task {task_uuid}")
