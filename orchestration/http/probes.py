"""The probes: does the process answer, is it alive, is it ready, what exactly is wrong; metrics.

They are public, but for details and metrics where METRICS_TOKEN is set, and answer whatever the
`Host` header says, also over plain http: orchestrators of containers ask by address. In the web
process a middleware before all others serves them; the status servers of the other processes have
no middleware at all. `orchestration.health` knows the answers.
"""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from orchestration import health, metrics
from orchestration.access.metrics_token import require_metrics_token
from orchestration.conf import observability_settings
from orchestration.errors import NotFoundError, TaskerError
from orchestration.http.errors import json_response


def _timestamp() -> str:
    return timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _answer(body: dict[str, object], *, is_good: bool = True) -> JsonResponse:
    status = HTTPStatus.OK if is_good else HTTPStatus.SERVICE_UNAVAILABLE
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def _details(process: health.Health, status: str) -> dict[str, object]:
    return {
        "status": status,
        "timestamp": _timestamp(),
        "checks": {name: result._asdict() for name, result in process.results().items()},
        "info": process.info(),
    }


@require_safe
def basic(request: HttpRequest) -> HttpResponse:
    """Answer that the process answers."""
    body: dict[str, object] = {"status": "healthy", "timestamp": _timestamp()}
    if worker_id := health.current().worker_id:
        body["worker_id"] = worker_id
    return _answer(body)


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answer whether every loop still finishes its rounds."""
    is_alive = not health.current().is_stalled()
    body: dict[str, object] = {
        "status": "alive" if is_alive else "stalled",
        "timestamp": _timestamp(),
    }
    return _answer(body, is_good=is_alive)


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Answer whether the process can do its job now."""
    process = health.current()
    is_ready = process.is_ready
    return _answer(_details(process, "ready" if is_ready else "not_ready"), is_good=is_ready)


@require_safe
def detailed(request: HttpRequest) -> HttpResponse:
    """Answer with every check and everything known about the process."""
    try:
        require_metrics_token(request)
    except TaskerError as refusal:
        return json_response(refusal, request)
    process = health.current()
    return _answer(_details(process, process.status))


@require_safe
def exposition(request: HttpRequest) -> HttpResponse:
    """Answer with the metrics of the process, as Prometheus reads them."""
    if not observability_settings().metrics_enabled:
        return json_response(NotFoundError("METRICS_ENABLED is off"), request)
    try:
        require_metrics_token(request)
    except TaskerError as refusal:
        return json_response(refusal, request)
    health.current()  # says what is looked at, where nobody has said so yet
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(metrics.expose(), content_type=metrics.CONTENT_TYPE, headers=headers)


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "health": basic,
    "health/live": live,
    "health/ready": ready,
    "health/detailed": detailed,
    "live": live,
    "ready": ready,
    "metrics": exposition,
}


class ProbeMiddleware:
    """Serves the probes before any other middleware may refuse or redirect them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Stand before everything else: must be the first of MIDDLEWARE."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a probe, hand on everything else."""
        probe = PROBES.get(request.path_info.strip("/"))
        return self._get_response(request) if probe is None else probe(request)
