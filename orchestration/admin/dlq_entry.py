"""One entry of the DLQ: the task then and now, notes, and what may be done about it.

Closing an entry never starts anything: the shortcuts act on the task, and whether the investigation
is over stays a decision of its own.
"""

from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.safestring import SafeString

from orchestration.access.permissions import Permission
from orchestration.admin.addresses import address_of
from orchestration.admin.display import age, json_block, short_id, state_badge
from orchestration.admin.logging import log_action
from orchestration.admin.pages import actor_of, demand, fragment, may, page, part
from orchestration.admin.task_actions import TASK_ACTIONS
from orchestration.admin.task_parts import buttons
from orchestration.admin.visibility import scope_of
from orchestration.errors import TaskerError
from orchestration.lifecycle.investigation import MAX_NOTES_LENGTH, EntryChange, update_entry
from orchestration.models import DlqEntry, DlqResolution
from orchestration.queries import dlq
from orchestration.queries.operator_records import records_of
from orchestration.queries.task_page import StepLine, find_steps
from orchestration.queries.task_table import progress_of

LONGEST_NOTE = 2000
MOST_STEPS = 1000
MOST_RECORDS = 100
SHORTCUTS = tuple(
    action for action in TASK_ACTIONS if action.name in ("retry_failed_steps", "cancel", "resolve")
)
ENDS = [choice for choice in DlqResolution.choices if choice[0] != DlqResolution.PENDING]


class NoteForm(forms.Form):
    """What was found; with a status the investigation is over."""

    note = forms.CharField(max_length=LONGEST_NOTE, widget=forms.Textarea(attrs={"rows": 3}))
    status = forms.ChoiceField(
        choices=[("", "leave the entry open"), *ENDS], required=False, label="the investigation"
    )


class StepThenAndNow(NamedTuple):
    """One step in the snapshot and at present."""

    name: str
    then_badge: str
    now_badge: str
    then_attempts: Any
    now_attempts: Any
    error: str
    is_changed: bool


def show(request: HttpRequest, key: UUID) -> HttpResponse | None:
    """Return the page of an entry, None for one that the user does not see."""
    entry = _find(request, key)
    return None if entry is None else _page(request, entry, NoteForm())


def _page(request: HttpRequest, entry: DlqEntry, form: NoteForm) -> HttpResponse:
    return page(
        request,
        "dlq_entry",
        f"DLQ entry {short_id(entry.pk)}",
        subtitle=entry.dlq_reason,
        entry=entry,
        form=form,
        may_update=may(request, Permission.DLQ_UPDATE),
        head=part("the head", lambda: _head(request, entry)),
        steps=part("the comparison", lambda: _comparison(entry)),
        data=part("the data", lambda: _data(entry)),
        log=part("the log", lambda: _log(entry)),
    )


def note(request: HttpRequest, entry_uuid: UUID) -> HttpResponse:
    """Add a note, and close the entry when a status is chosen."""
    demand(request, Permission.DLQ_UPDATE)
    entry = _find(request, entry_uuid)
    if entry is None:
        raise Http404(f"No DLQ entry {entry_uuid}")
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _page(request, entry, form)
    given = form.cleaned_data
    try:
        append_note(entry.pk, given["note"], actor=actor_of(request), status=given["status"])
    except TaskerError as error:
        form.add_error(None, error.message)
        return _page(request, entry, form)
    what = f"Close as {given['status']}" if given["status"] else "Note"
    log_action(request, entry, f"{what}: {given['note']}")
    messages.success(request, "Closed" if given["status"] else "Note added")
    return HttpResponseRedirect(address_of("orchestration.dlqentry", entry.pk))


def append_note(entry_uuid: UUID, text: str, *, actor: str, status: str = "") -> None:
    """Write a note below those that are there; `status` closes the entry."""
    with transaction.atomic():
        held = dlq.hold_entry(entry_uuid)
        before = held.resolution_notes if held else ""
        line = f"[{timezone.now():%Y-%m-%d %H:%M} {actor}] {text}"
        notes = f"{before}\n{line}" if before else line
        if len(notes) > MAX_NOTES_LENGTH:  # the oldest are given up
            notes = notes[-MAX_NOTES_LENGTH:]
        change = EntryChange(resolution_notes=notes, resolution_status=status or None)
        update_entry(entry_uuid, change, actor=actor, reason=text)


def _find(request: HttpRequest, key: UUID) -> DlqEntry | None:
    if not dlq.has_entry(key, scope_of(request)):
        return None
    return DlqEntry.objects.filter(pk=key).first()


class _Subject(NamedTuple):
    state: str
    progress: Any


def _head(request: HttpRequest, entry: DlqEntry) -> SafeString:
    task_uuid = entry.task_id
    progress = progress_of([task_uuid]).get(task_uuid) if task_uuid else None
    offered = []
    if progress is not None and task_uuid is not None:
        subject = _Subject(progress.state, progress)
        offered = buttons(request, "orchestration.task", task_uuid, subject, SHORTCUTS)
    return fragment(
        "dlq_head",
        entry=entry,
        status_badge=state_badge(entry.resolution_status),
        then_badge=state_badge(entry.original_state) if entry.original_state else "",
        now_badge=state_badge(progress.state) if progress else "",
        progress=progress,
        task_address=address_of("orchestration.task", task_uuid) if progress else "",
        age=age(entry.dlq_timestamp),
        buttons=offered,
        advice=ADVICE.get(entry.dlq_reason, ""),
    )


ADVICE = {
    "staleness_timeout": "The task stayed in its state for longer than its template allows.",
    "max_retries_exceeded": "A step used up its attempts. Repair what it needs, then retry the "
    "failed steps.",
    "dependency_cycle_detected": "Steps wait for one another; such a task can only be closed.",
    "worker_unavailable": "No running worker serves the namespace. Start one; the work goes on by "
    "itself.",
    "manual_dlq": "Somebody asked for an investigation.",
    "poison_message": "A message could not be used and was set aside; its queue goes on.",
}


def _comparison(entry: DlqEntry) -> SafeString:
    then = {step["name"]: step for step in (entry.task_snapshot or {}).get("steps", ())}
    found = find_steps(entry.task_id, limit=MOST_STEPS) if entry.task_id else []
    now = {step.name: step for step in found}
    names = list(dict.fromkeys([*now, *then]))[:MOST_STEPS]
    rows = [_compared(name, then.get(name), now.get(name)) for name in names]
    return fragment("dlq_comparison", rows=rows, has_task=bool(entry.task_id))


def _compared(name: str, then: dict[str, Any] | None, now: StepLine | None) -> StepThenAndNow:
    before = (then["state"], then["attempts"]) if then else None
    present = (now.state, now.attempts) if now else None
    return StepThenAndNow(
        name=name,
        then_badge=state_badge(then["state"]) if then else "",
        now_badge=state_badge(now.state) if now else "",
        then_attempts=then["attempts"] if then else "",
        now_attempts=now.attempts if now else "",
        error=(now.error if now else None) or (then or {}).get("error_type") or "",
        is_changed=before != present,
    )


def _data(entry: DlqEntry) -> SafeString:
    rows = [("snapshot", entry.task_snapshot), ("metadata", entry.metadata)]
    rows += [("message", entry.message)] if entry.queue_name else []
    return fragment("dlq_data", rows=[(name, json_block(value)) for name, value in rows])


def _log(entry: DlqEntry) -> SafeString:
    return fragment("dlq_log", rows=records_of(entry.pk)[:MOST_RECORDS])
