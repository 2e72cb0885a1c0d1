"""The dashboard: what is going on, what the last hours were like, what is slow, what to do."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from orchestration import health
from orchestration.access.permissions import Permission
from orchestration.admin.advice import recommendations
from orchestration.admin.display import state_badge
from orchestration.admin.namespace_names import namespace_names
from orchestration.admin.pages import demand, fragment, may, page, part
from orchestration.admin.visibility import scope_of
from orchestration.pictures.charts import Series, render_chart
from orchestration.queries import dashboard as figures
from orchestration.queries.dashboard import Slice, SlowStep, Tiles

NEWEST_ATTEMPTS = 20_000
MOST_SLOW_STEPS = 10


class Period(NamedTuple):
    """A stretch of time to look at, and how it is sliced."""

    word: str
    length: timedelta
    slice_length: timedelta
    label: str


PERIODS = {
    "1h": Period("last hour", timedelta(hours=1), timedelta(minutes=2), "%H:%M"),
    "24h": Period("last 24 hours", timedelta(hours=24), timedelta(hours=1), "%H:%M"),
    "7d": Period("last 7 days", timedelta(days=7), timedelta(hours=6), "%d.%m. %Hh"),
}


class Tile(NamedTuple):
    """One number with where it leads."""

    number: str
    words: str
    address: str


class Look:
    """What the user asked to see: the period, and the namespaces among those that he sees."""

    def __init__(self, request: HttpRequest) -> None:
        """Read the parameters; what cannot be read means the day, and every namespace."""
        asked = request.GET.get("period", "")
        self.key = asked if asked in PERIODS else "24h"
        self.period = PERIODS[self.key]
        wanted = request.GET.get("namespace", "")
        scope = scope_of(request)
        self.namespace = wanted if wanted and scope.includes(wanted) else ""
        self.namespaces = [self.namespace] if self.namespace else scope.as_parameter()
        self.now = timezone.now()

    @cached_property
    def start(self) -> datetime:
        """The beginning of the period, on a border of its slices."""
        seconds = self.period.slice_length.total_seconds()
        last = self.now.timestamp() // seconds * seconds
        first = last - self.period.length.total_seconds() + seconds
        return datetime.fromtimestamp(first, tz=self.now.tzinfo)

    @cached_property
    def slow_steps(self) -> list[SlowStep]:
        """The slowest steps."""
        return figures.slow_steps(
            self.namespaces, start=self.start, attempts=NEWEST_ATTEMPTS, limit=MOST_SLOW_STEPS
        )

    @cached_property
    def tiles(self) -> Tiles:
        """What is going on now."""
        today = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        return figures.tiles(self.namespaces, today=today, fresh_seconds=health.fresh_seconds())


def view(request: HttpRequest) -> HttpResponse:
    """Show the dashboard on a page of its own."""
    demand(request, Permission.SYSTEM_ANALYTICS_READ)
    return page(request, "dashboard", "Dashboard", **parts(request))


def index_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Put the dashboard on the first page, for whom may see it."""
    if not may(request, Permission.SYSTEM_ANALYTICS_READ):
        return context
    return {**context, "title": "Dashboard", "is_dashboard": True, **parts(request)}


def parts(request: HttpRequest) -> dict[str, Any]:
    """Return the parts of the page, each of which may fail alone."""
    look = Look(request)
    return {
        "look": look,
        "periods": [(key, each.word, key == look.key) for key, each in PERIODS.items()],
        "namespaces": namespace_names(request),
        "tiles": part("the figures", lambda: _tiles(request, look)),
        "charts": part("the charts", lambda: _charts(look)),
        "slow": part("the slowest steps", lambda: _slow(look)),
        "health": part("the health checks", _health),
        "advice": part("the recommendations", lambda: _advice(look)),
    }


def _tiles(request: HttpRequest, look: Look) -> SafeString:
    found = look.tiles
    oldest = found.oldest_message_seconds
    shown = [
        Tile(str(found.running), "running", _tasks(look, state="steps_in_process")),
        Tile(
            str(found.waiting),
            "waiting",
            _tasks(look, state=["pending", "waiting_for_dependencies", "waiting_for_retry"]),
        ),
        Tile(
            str(found.blocked),
            "blocked, wait for a person",
            _tasks(look, state="blocked_by_failures"),
        ),
        Tile(
            str(found.failed_today),
            "failed today",
            _tasks(
                look,
                state=["error", "blocked_by_failures"],
                updated_from=f"{look.now:%Y-%m-%d}T00:00:00",
            ),
        ),
        Tile(
            str(found.dlq_pending), "in the DLQ", reverse("admin:orchestration_dlqentry_changelist")
        ),
        Tile(str(found.orchestrators), "orchestrators live", _workers()),
        Tile(str(found.workers), "workers live", _workers()),
        Tile(
            f"{oldest:.1f} s" if oldest is not None else "none",
            "oldest message for the engine",
            reverse("admin:orchestration_queues"),
        ),
    ]
    return fragment("dashboard_tiles", tiles=shown)


def _tasks(look: Look, **query: Any) -> str:
    given = {**query, "namespace": look.namespace} if look.namespace else query
    return f"{reverse('admin:orchestration_task_changelist')}?{urlencode(given, doseq=True)}"


def _workers() -> str:
    return reverse("admin:orchestration_taskerprocess_changelist")


def _charts(look: Look) -> SafeString:
    slices = figures.series(
        look.namespaces, start=look.start, now=look.now, slice_length=look.period.slice_length
    )
    labels = [f"{each.at:{look.period.label}}" for each in slices]
    charts = [
        _chart("Tasks created and finished", labels, slices, ("created", "finished", "errors")),
        _chart(
            "Duration of finished tasks",
            labels,
            slices,
            ("median_seconds", "p95_seconds"),
            kind="lines",
        ),
    ]
    return fragment("dashboard_charts", charts=charts)


NAMES = {
    "created": "created",
    "finished": "finished",
    "errors": "failed",
    "median_seconds": "median",
    "p95_seconds": "95th percentile",
}


def _chart(
    title: str,
    labels: Sequence[str],
    slices: Sequence[Slice],
    columns: Sequence[str],
    *,
    kind: Any = "bars",
) -> dict[str, Any]:
    unit = " s" if kind == "lines" else ""
    series = [Series(NAMES[each], [getattr(row, each) for row in slices]) for each in columns]
    drawing = render_chart(title, labels, series, kind=kind, unit=unit)
    rows = list(zip(labels, *(each.values for each in series), strict=True))
    return {
        "title": title,
        "drawing": mark_safe(drawing),  # noqa: S308 escaped where it is drawn
        "names": [each.name for each in series],
        "rows": rows,
        "unit": unit,
        "is_empty": not any(value for each in series for value in each.values),
    }


def _slow(look: Look) -> SafeString:
    rows = [(row, round(100 * row.failures / row.attempts, 1)) for row in look.slow_steps]
    return fragment("dashboard_slow", rows=rows, attempts=NEWEST_ATTEMPTS)


def _health() -> SafeString:
    found = health.current().results()
    rows = [(name, state_badge(each.status), each) for name, each in found.items()]
    return fragment("dashboard_health", rows=rows)


def _advice(look: Look) -> SafeString:
    texts = recommendations(look.tiles, look.slow_steps, health.current().results())
    return fragment("dashboard_advice", texts=texts)
