"""Workers and orchestrators in the admin: who lives, what it serves, how busy it is."""

from datetime import timedelta
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from orchestration.access.permissions import Permission
from orchestration.admin import queues
from orchestration.admin.addresses import address_of
from orchestration.admin.display import age, json_block, short_id, state_badge
from orchestration.admin.live_handlers import FRESH_STATES
from orchestration.admin.live_page import live_page
from orchestration.admin.pages import fragment, page, part
from orchestration.admin.read_only import OwnListAdmin
from orchestration.admin.task_view import step_address
from orchestration.admin.visibility import scope_of
from orchestration.health import fresh_seconds
from orchestration.models import ProcessKind, TaskerProcess, WorkflowStep
from orchestration.queries.namespace_table import all_namespaces
from orchestration.queries.scope import Scope
from orchestration.states import StepState

MOST_PROCESSES = 500
MOST_STEPS = 200


class ProcessLine(NamedTuple):
    """One row of the page."""

    row: TaskerProcess
    address: str
    badge: SafeString
    is_fresh: bool
    busy: int
    size: int
    greatest: int
    share: int
    beat: str
    uptime: str


class ProcessAdmin(OwnListAdmin):
    """Processes."""

    noun = "process"
    list_permission = Permission.SYSTEM_HANDLERS_READ
    read_permission = Permission.SYSTEM_HANDLERS_READ

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the queues, which has no table of its own."""
        view = self.admin_site.admin_view(queues.view)
        return [path("queues/", view, name="orchestration_queues"), *super().get_urls()]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Return the live processes, and those that ended lately."""
        return live_page(request, "Workers", "the processes", lambda: _table(request))

    def show(self, request: HttpRequest, key: UUID) -> HttpResponse | None:
        """Return the page of one process."""
        row = TaskerProcess.objects.filter(pk=key).first()
        if row is None or not _is_seen(row, scope_of(request)):
            return None
        return page(
            request,
            "process",
            f"{row.kind.capitalize()} {row.name}",
            subtitle=short_id(row.pk),
            line=line_of(row),
            running=part("the running steps", lambda: _running(request, row)),
            report=part("the report", lambda: json_block(row.report)),
        )


def _table(request: HttpRequest) -> SafeString:
    scope = scope_of(request)
    found = TaskerProcess.objects.order_by("-last_heartbeat_at")[:MOST_PROCESSES]
    lines = [line_of(row) for row in found if _is_seen(row, scope)]
    fresh = [line for line in lines if line.is_fresh]
    return fragment(
        "process_table",
        fresh=sorted(fresh, key=lambda line: (line.row.kind, line.row.name)),
        others=[line for line in lines if not line.is_fresh],
        warnings=list(chain(_unserved(fresh, scope), _mixed_versions(fresh))),
    )


def _is_seen(row: TaskerProcess, scope: Scope) -> bool:
    """Tell whether somebody sees a process: orchestrators serve everybody, workers a namespace."""
    is_shared = row.kind == ProcessKind.ORCHESTRATOR
    return is_shared or scope.is_everything or any(scope.includes(name) for name in row.namespaces)


def line_of(row: TaskerProcess) -> ProcessLine:
    """Return a process as its row says it; a heartbeat that is overdue makes it stale."""
    now = timezone.now()
    is_running = row.status in FRESH_STATES
    is_fresh = is_running and now - row.last_heartbeat_at <= timedelta(seconds=fresh_seconds())
    slots = row.report.get("slots") if isinstance(row.report, dict) else None
    slots = slots if isinstance(slots, dict) else {}
    size, busy = slots.get("size", row.slots), slots.get("busy", row.running)
    return ProcessLine(
        row=row,
        address=address_of("orchestration.taskerprocess", row.pk),
        badge=state_badge("stale" if is_running and not is_fresh else row.status),
        is_fresh=is_fresh,
        busy=busy,
        size=size,
        greatest=slots.get("max", row.slots),
        share=round(100 * busy / size) if size else 0,
        beat=age(row.last_heartbeat_at),
        uptime=age(row.started_at, until=None if is_fresh else row.last_heartbeat_at),
    )


def _unserved(fresh: list[ProcessLine], scope: Scope) -> list[str]:
    served = {name for line in fresh for name in line.row.namespaces}
    waiting = [
        (each.name, sum(each.by_state.values()))
        for each in all_namespaces(scope)
        if each.by_state and each.name not in served
    ]
    return [
        f"Namespace {name} has {count} unfinished tasks and no live worker."
        for name, count in waiting
    ]


def _mixed_versions(fresh: list[ProcessLine]) -> list[str]:
    versions = sorted({line.row.version for line in fresh})
    return [f"Processes of different versions run: {', '.join(versions)}."] if versions[1:] else []


def _running(request: HttpRequest, row: TaskerProcess) -> SafeString:
    steps = WorkflowStep.objects.filter(claimed_by=row.pk, state=StepState.IN_PROGRESS)
    seen = steps.filter(scope_of(request).condition("task__named_task__task_namespace__name"))
    columns = ("workflow_step_uuid", "name", "last_attempted_at", "lease_until", "attempts")
    found = seen.order_by("last_attempted_at").values_list(*columns)[:MOST_STEPS]
    rows = [
        (step_address(uuid), name, age(since), lease, attempts)
        for uuid, name, since, lease, attempts in found
    ]
    return fragment("process_steps", rows=rows)
