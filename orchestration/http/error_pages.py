"""Errors outside of any view of the API: a refused host, an address that nobody serves, a crash.

Below /v1/ and /api-docs/ they have the body that every error has; elsewhere Django's own page.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from orchestration.http.errors import PLAIN, error_body

API = ("/v1/", "/api-docs/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django refuses before any view."""
    if not _is_api(request):
        return defaults.bad_request(request, exception)
    return _answer(request, 400, "BAD_REQUEST", "The request is refused: its host or path is wrong")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that no route leads to."""
    if not _is_api(request):
        return defaults.page_not_found(request, exception)
    return _answer(request, 404, "NOT_FOUND", "There is nothing at this address")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a failure that no view caught; Django has logged it."""
    if not _is_api(request):
        return defaults.server_error(request)
    return _answer(request, 500, "INTERNAL_ERROR", PLAIN["INTERNAL_ERROR"])


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API)


def _answer(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    body: dict[str, Any] = error_body(code, message, request=request)
    return JsonResponse(body, status=status)
