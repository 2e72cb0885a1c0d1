"""What all views of the API have in common: declared permissions, body limit, an answer for 404.

A view parses, calls one function, shapes the answer. The order of checks is that of
api-and-operations 1.1: size of the body, principal, permission, then the view itself.
"""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orchestration.access.permissions import Permission
from orchestration.conf import engine_settings
from orchestration.errors import NotFoundError
from orchestration.http.errors import PayloadTooLargeError


class ApiView(APIView):
    """Base of the views; a method without an entry in `required_permissions` is refused."""

    required_permissions: ClassVar[dict[str, Permission | None]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a body that says it is too large before anything else is asked."""
        size = str(request.META.get("CONTENT_LENGTH") or "0")
        limit = engine_settings().api_max_body_bytes
        if size.isdigit() and int(size) > limit:
            raise PayloadTooLargeError(f"The body has {size} bytes; {limit} are allowed")
        super().initial(request, *args, **kwargs)


class NothingHere(ApiView):
    """Every address below /v1/ that is no other view's."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer like any other view that nobody may use, then with 404."""
        self.perform_authentication(request)
        raise NotFoundError(f"There is nothing at {request.path}; see /api-docs/ui")

    @extend_schema(exclude=True)
    def get(self, request: Request, **rest: Any) -> Response:
        """Never reached."""
        raise AssertionError("initial() raises")
