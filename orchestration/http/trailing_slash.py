"""A slash at the end of an API path is accepted, without a redirect.

The routes have none. Why a middleware: an optional slash in a route would put a wrong path into the
OpenAPI document, and a redirect loses the body of a POST.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PREFIXES = ("/v1/", "/api-docs/")


class TrailingSlashMiddleware:
    """Drops one slash at the end of the paths of the API; all others stay as they are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand before anything that looks at the path."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Hand the request on under its canonical path."""
        path = request.path_info
        if path.endswith("/") and path.startswith(PREFIXES) and path not in PREFIXES:
            request.path_info = path.removesuffix("/")
            request.path = request.path.removesuffix("/")
        return self._get_response(request)
