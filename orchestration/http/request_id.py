"""Request ids: taken over from the caller when sane, made otherwise; in every answer and log line.

Must be the outermost middleware, so that whatever answers a request answers with its id.
"""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from orchestration.runtime.identity import fresh_uuid7
from orchestration.runtime.log_context import log_context

HEADER = "X-Request-ID"
KEY = "tasker.request_id"  # in META, where Django's and REST framework's requests both look
SANE = re.compile(r"[A-Za-z0-9._-]{1,128}")


class RequestIdMiddleware:
    """Gives every request an id and every response the header."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand around everything else."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer inside a log context that carries the id."""
        given = request.headers.get(HEADER, "")
        request_id = given if SANE.fullmatch(given) else fresh_request_id()
        request.META[KEY] = request_id
        with log_context(request_id=request_id):
            response = self._get_response(request)
        response.headers[HEADER] = request_id
        return response


def request_id_of(request: HttpRequest) -> str:
    """Return the id of a request; a new one where the middleware is not installed."""
    return str(request.META.setdefault(KEY, fresh_request_id()))


def fresh_request_id() -> str:
    """Return a new UUID v7, which sorts by time."""
    return str(fresh_uuid7())
