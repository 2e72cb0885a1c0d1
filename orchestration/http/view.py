"""What all views behind the guard have in common, in the web process and in the status servers.

A view parses, calls one function, shapes the answer. The order of checks is that of
api-and-operations 1.1: size of the body, principal, permission, circuit breaker, then the view
itself. What a view writes and what it answers about it are one transaction (`atomically`).
"""

from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.views import APIView

from orchestration.access.credentials import CIRCUIT_OPEN
from orchestration.access.guard import RequiredPermissions
from orchestration.conf import engine_settings
from orchestration.http.errors import PayloadTooLargeError
from orchestration.http.time_limit import time_limit


class ApiView(APIView):
    """Base of the views; a method without an entry in `required_permissions` is refused."""

    required_permissions: ClassVar[RequiredPermissions] = {}

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer within the time limit of a request."""
        with time_limit(engine_settings().api_timeout_seconds):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a body that says it is too large before anything else is asked."""
        size = str(request.META.get("CONTENT_LENGTH") or "0")
        limit = self.body_limit()
        if size.isdigit() and int(size) > limit:
            raise PayloadTooLargeError(f"The body has {size} bytes; {limit} are allowed")
        super().initial(request, *args, **kwargs)
        if circuit_open := request.META.get(CIRCUIT_OPEN):
            raise circuit_open

    def body_limit(self) -> int:
        """Return how many bytes a body may have; a view may allow fewer than the setting."""
        return engine_settings().api_max_body_bytes
