"""Counts and times the requests of the web process, by route and never by address.

Stands behind the probes, which are asked every few seconds and would drown everything else.
"""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from orchestration import metrics

log = logging.getLogger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SLOW_MS = 1000


class MeasuringMiddleware:
    """Measures whatever answers a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand around everything that takes time."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Hand the request on and count its answer."""
        began = time.perf_counter()
        response = self._get_response(request)
        took_ms = (time.perf_counter() - began) * 1000
        method = str(request.method)
        labels = {
            "method": method if method in METHODS else metrics.OTHER,
            "route": request.resolver_match.route if request.resolver_match else metrics.OTHER,
            "status": f"{response.status_code // 100}xx",
        }
        metrics.HTTP_REQUESTS.add(**labels)
        metrics.HTTP_DURATION.observe(took_ms, **labels)
        said = {**labels, "status": response.status_code, "duration_ms": round(took_ms, 1)}
        if took_ms > SLOW_MS:
            log.warning("http.slow", extra=said)
        else:
            log.debug("http.request", extra=said)
        return response
