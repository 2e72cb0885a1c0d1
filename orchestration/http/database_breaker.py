"""The circuit breaker `web_database`: while the database is gone, API and admin say so at once.

A request is one call of the breaker. It failed when the database was gone or a statement took too
long; it succeeded when it used its connection and nothing of that kind happened; one that was
refused before it needed the database says nothing. While it is open a page of the admin is refused
here; a call of the API goes on to the guard with the refusal in its hand, because authentication
and permission come first, as far as they need no database. The probes are answered further out and
always try.
"""

import logging
from collections.abc import Callable

from django.db import connections
from django.http import HttpRequest, HttpResponse

from orchestration.access.credentials import CIRCUIT_OPEN
from orchestration.errors import CircuitOpenError
from orchestration.http.errors import FAILED_BY, json_response, message_of, retry_after_of
from orchestration.runtime.breaker import WEB_DATABASE, CircuitBreaker, breaker
from orchestration.runtime.failures import is_database_failing, is_database_gone

log = logging.getLogger(__name__)

API, ADMIN = "/v1/", "/admin/"


class DatabaseBreakerMiddleware:
    """Guards every use of the database by API and admin; before all middleware that needs it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand around everything that uses the database."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request through unless the breaker is open, and record how it ended."""
        if not request.path_info.startswith((API, ADMIN)):
            return self._get_response(request)
        guard = breaker(WEB_DATABASE)
        try:
            with guard.admit():
                response = self._get_response(request)
                _record(guard, request, response)
                return response
        except CircuitOpenError as error:
            if request.path_info.startswith(ADMIN):
                return _unavailable(request, error)
            request.META[CIRCUIT_OPEN] = error
            return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 503 for a page whose database is gone; the API answers for itself."""
        request.META[FAILED_BY] = error
        if not is_database_gone(error):
            return None
        log.error("page.failed", extra={"path": request.path}, exc_info=error)
        return _unavailable(request, error)


def _record(guard: CircuitBreaker, request: HttpRequest, response: HttpResponse) -> None:
    error = request.META.get(FAILED_BY)
    if error is not None and is_database_failing(error):
        guard.record(is_failure=True)
    elif response.status_code < 500 and connections["default"].connection is not None:
        guard.record(is_failure=False)


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    if not request.path_info.startswith(ADMIN):
        return json_response(error, request)
    return HttpResponse(
        f"{message_of(error)}\n",
        status=503,
        headers={"Retry-After": str(retry_after_of(error)), "Cache-Control": "no-store"},
        content_type="text/plain; charset=utf-8",
    )
