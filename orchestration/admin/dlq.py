"""The DLQ desk: what waits for an investigator, the most pressing first, and closing in bulk."""

from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.urls import URLPattern, path, reverse

from orchestration.access.permissions import Permission
from orchestration.admin import dlq_entry
from orchestration.admin.addresses import address_of, uuid_of
from orchestration.admin.display import age, short_id, state_badge
from orchestration.admin.logging import log_action
from orchestration.admin.pages import actor_of, demand, fragment, may, page, part
from orchestration.admin.read_only import OwnListAdmin
from orchestration.admin.visibility import scope_of
from orchestration.conf import admin_settings
from orchestration.errors import TaskerError
from orchestration.models import DlqEntry, DlqReason, DlqResolution
from orchestration.queries import dlq
from orchestration.queries.dlq import EntryFilter, EntryRow
from orchestration.queries.task_table import progress_of

PER_PAGE = 100
ENDS = [choice for choice in DlqResolution.choices if choice[0] != DlqResolution.PENDING]


class DeskForm(forms.Form):
    """What the desk is narrowed to."""

    status = forms.ChoiceField(
        choices=[("", "pending"), ("all", "all"), *ENDS], required=False, label="status"
    )
    reason = forms.ChoiceField(choices=[("", "all"), *DlqReason.choices], required=False)
    namespace = forms.CharField(required=False, max_length=64)


class ClosingForm(forms.Form):
    """How investigations ended, and what was found."""

    status = forms.ChoiceField(choices=ENDS, label="how it ended")
    note = forms.CharField(
        max_length=dlq_entry.LONGEST_NOTE, widget=forms.Textarea(attrs={"rows": 3})
    )


class DeskLine(NamedTuple):
    """One row of the desk."""

    entry: EntryRow
    score: Any
    address: str
    then_badge: str
    now_badge: str
    task_address: str
    task_name: str
    age: str
    error: str


class DlqAdmin(OwnListAdmin):
    """Entries of the DLQ."""

    noun = "DLQ entry"
    list_permission = Permission.DLQ_READ
    read_permission = Permission.DLQ_READ

    def get_urls(self) -> list[URLPattern]:
        """Add what is done to one entry, and closing of many."""
        wrap = self.admin_site.admin_view
        return [
            path("close/", wrap(close_many), name="orchestration_dlqentry_close"),
            path(
                "<uuid:entry_uuid>/note/", wrap(dlq_entry.note), name="orchestration_dlqentry_note"
            ),
            *super().get_urls(),
        ]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Return the desk."""
        form = DeskForm(request.GET)
        form.is_valid()
        wanted = form.cleaned_data
        return page(
            request,
            "dlq",
            "DLQ desk",
            form=form,
            counters=part("the counters", lambda: _counters(request)),
            desk=part("the desk", lambda: _desk(request, wanted)),
        )

    def show(self, request: HttpRequest, key: UUID) -> HttpResponse | None:
        """Return the page of one entry."""
        return dlq_entry.show(request, key)


def _counters(request: HttpRequest) -> Any:
    if not may(request, Permission.DLQ_STATS):
        return ""
    desk = reverse("admin:orchestration_dlqentry_changelist")
    found = dlq.stats(scope_of(request))
    tiles = [(row, f"{desk}?reason={row.dlq_reason}") for row in found]
    return fragment("dlq_counters", tiles=tiles)


def _desk(request: HttpRequest, wanted: dict[str, Any]) -> Any:
    number = _page_number(request)
    rows = list(_entries(request, wanted, offset=(number - 1) * PER_PAGE))
    shown = rows[:PER_PAGE]
    progress = progress_of(entry.task_uuid for entry, _ in shown if entry.task_uuid)
    lines = [_line(entry, score, progress) for entry, score in shown]
    query = request.GET.copy()
    query["p"] = str(number + 1)
    return fragment(
        "dlq_desk",
        lines=lines,
        more=f"?{query.urlencode()}" if len(rows) > PER_PAGE else "",
        is_filtered=any(wanted.values()),
        may_close=may(request, Permission.DLQ_UPDATE),
        csrf=get_token(request),
    )


def _entries(
    request: HttpRequest, wanted: dict[str, Any], *, offset: int
) -> list[tuple[EntryRow, Any]]:
    """Return one entry more than a page shows; pending ones by urgency, others by time."""
    scope = scope_of(request)
    kept = EntryFilter(
        resolutions=() if wanted.get("status") == "all" else (wanted.get("status") or "pending",),
        reasons=(wanted["reason"],) if wanted.get("reason") else (),
        namespace=wanted.get("namespace") or None,
    )
    if any(wanted.values()):
        found = dlq.find_entries(kept, scope, limit=PER_PAGE + 1, offset=offset).rows
        return [(entry, None) for entry in found]
    queue = dlq.investigation_queue(scope, limit=offset + PER_PAGE + 1)[offset:]
    return [(each.entry, each.urgency.priority_score) for each in queue]


def _page_number(request: HttpRequest) -> int:
    given = request.GET.get("p", "")
    return min(max(int(given), 1), 1000) if given.isascii() and given.isdigit() else 1


def _line(entry: EntryRow, score: Any, progress: dict[UUID, Any]) -> DeskLine:
    snapshot = entry.task_snapshot or {}
    task = progress.get(entry.task_uuid) if entry.task_uuid else None
    name = f"{snapshot.get('namespace', '')}/{snapshot.get('name', '')}" if snapshot else ""
    return DeskLine(
        entry=entry,
        score=score,
        address=address_of("orchestration.dlqentry", entry.dlq_entry_uuid),
        then_badge=state_badge(entry.original_state) if entry.original_state else "",
        now_badge=state_badge(task.state) if task else "",
        task_address=address_of("orchestration.task", entry.task_uuid) if task else "",
        task_name=name or (f"message {entry.msg_id} of {entry.queue_name}"),
        age=age(entry.dlq_timestamp),
        error=f"{task.failed_step}: {task.error or 'failed'}" if task and task.failed_step else "",
    )


def close_many(request: HttpRequest) -> HttpResponse:
    """Ask how the chosen investigations ended; then close each in a transaction of its own."""
    demand(request, Permission.DLQ_UPDATE)
    desk = HttpResponseRedirect(reverse("admin:orchestration_dlqentry_changelist"))
    chosen = _chosen(request)
    if not chosen:
        messages.warning(request, "Choose at least one entry first.")
        return desk
    form = ClosingForm(request.POST if "confirmed" in request.POST else None)
    if not form.is_valid():
        return page(request, "dlq_close", "Close investigations", form=form, chosen=chosen)
    closed = sum(_close(request, entry, form.cleaned_data) for entry in chosen)
    if closed:
        messages.success(request, f"{closed} closed")
    return desk


def _chosen(request: HttpRequest) -> list[DlqEntry]:
    keys = [key for key in request.POST.getlist("entry") if uuid_of(key)]
    scope = scope_of(request)
    entries = DlqEntry.objects.in_bulk(keys[: admin_settings().admin_bulk_limit])
    return [each for key, each in entries.items() if dlq.has_entry(key, scope)]


def _close(request: HttpRequest, entry: DlqEntry, given: dict[str, Any]) -> bool:
    """Close one entry; tell whether that was possible."""
    try:
        dlq_entry.append_note(
            entry.pk, given["note"], actor=actor_of(request), status=given["status"]
        )
    except TaskerError as error:
        messages.warning(request, f"Entry {short_id(entry.pk)}: {error.message}")
        return False
    log_action(request, entry, f"Close as {given['status']}: {given['note']}")
    return True
