"""The parts of a task's page, each from what it shows to HTML."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from orchestration.access.permissions import Permission
from orchestration.admin.actions import OperatorAction
from orchestration.admin.addresses import address_of, asking_of, list_of
from orchestration.admin.display import age, progress_bar, state_badge
from orchestration.admin.pages import fragment, may
from orchestration.admin.step_actions import STEP_ACTIONS, why_not_complete
from orchestration.admin.task_actions import TASK_ACTIONS
from orchestration.admin.task_view import TaskView, is_resting, step_address
from orchestration.pictures import render_svg
from orchestration.pictures.durations import duration_text
from orchestration.pictures.time_axis import Scale
from orchestration.pictures.timeline import SpanKind
from orchestration.pictures.timeline_svg import TaskMove, render_timeline
from orchestration.queries.step_page import StepMove
from orchestration.queries.task_page import Move, StepLine, TaskDetails
from orchestration.states import StepState

MOST_ROWS, MOST_ROWS_ASKED_FOR = 200, 5000
MOST_MOVES_SHOWN, MOST_MOVES_ASKED_FOR = 100, 5000
"""Rows of a table at first, and when all are asked for: each costs about half a millisecond."""
MOST_DRAWN = 400
"""Rows of the timeline; of more steps those that took longest in all are drawn."""
URGENCY: Mapping[str, int] = {
    state: place
    for place, state in enumerate(
        (
            StepState.ERROR,
            StepState.WAITING_FOR_RETRY,
            StepState.ENQUEUED_AS_ERROR_FOR_ORCHESTRATION,
            StepState.IN_PROGRESS,
            StepState.ENQUEUED,
        )
    )
}


class Button(NamedTuple):
    """An action as the page offers it; without an address it is not possible now."""

    action: OperatorAction
    address: str
    why_not: str


class _Subject(NamedTuple):
    """What the judgements of the actions look at."""

    state: str
    progress: Any = None


def buttons(
    request: HttpRequest, label: str, key: Any, subject: Any, actions: tuple[OperatorAction, ...]
) -> list[Button]:
    """Return the actions that the user may perform, each with its address or why it has none."""
    found = []
    for action in actions:
        if not may(request, action.permission):
            continue
        why_not = action.why_not(subject)
        address = "" if why_not else f"{asking_of(label, key, action.name)}?back={_here(request)}"
        found.append(Button(action, address, why_not))
    return found


def _here(request: HttpRequest) -> str:
    """Return the address of the page, also when a part of it is asked for."""
    return request.path.replace("/live/", "/change/")


def head(request: HttpRequest, details: TaskDetails, view: TaskView) -> SafeString:
    """Return state, progress, identity, relatives, and the buttons."""
    subject = _Subject(details.state, view.counts)
    entry = details.dlq_entry
    return fragment(
        "task_head",
        details=details,
        badge=state_badge(details.state),
        bar=progress_bar(view.counts.completed_steps, view.counts.total_steps),
        counts=view.counts,
        age=age(details.created_at),
        took=age(details.created_at, until=details.completed_at) if details.completed_at else "",
        in_state=age(details.state_entered_at),
        template_page=address_of("templates_registry.namedtask", details.named_task_uuid),
        relatives=[{**each, "badge": state_badge(each["state"])} for each in details.relatives],
        entry_page=address_of("orchestration.dlqentry", entry["uuid"]) if entry else "",
        failed=[step for step in view.steps if step.state == "error"][:5],
        buttons=buttons(request, "orchestration.task", details.task_uuid, subject, TASK_ACTIONS),
        is_resting=is_resting(details.state),
    )


def graph(request: HttpRequest, view: TaskView) -> SafeString:
    """Return the drawing of the graph; its nodes lead to the steps for whom may see them."""
    if not view.steps:
        return fragment("empty", text="The task has no steps.")
    link = step_address if may(request, Permission.STEPS_READ) else None
    return mark_safe(render_svg(view.picture, link=link))  # noqa: S308 escaped where it is drawn


def timeline(details: TaskDetails, view: TaskView, scale: Scale) -> SafeString:
    """Return the drawing of what happened when."""
    rows = [row for row in view.timeline if row.spans]
    if not rows:
        return fragment("empty", text="No step has been enqueued yet.")
    if len(rows) > MOST_DRAWN:
        longest = sorted(rows, key=lambda row: row.spans[-1].end - row.spans[0].begin)
        kept = {row.step for row in longest[-MOST_DRAWN:]}
        rows = [row for row in rows if row.step in kept]
    moves = [
        TaskMove(move.at, move.to_state, move.event)
        for move in reversed(view.moves)
        if move.step_uuid is None
    ]
    title = f"{details.namespace}/{details.name}"
    drawing = render_timeline(rows, title=title, parents=view.parents, moves=moves, scale=scale)
    return mark_safe(drawing)  # noqa: S308 escaped where it is drawn


def steps(request: HttpRequest, view: TaskView) -> SafeString:
    """Return the table of steps."""
    times = {row.step: row for row in view.timeline}
    may_read = may(request, Permission.STEPS_READ)
    rows = []
    shows_all = "steps" in request.GET
    for step in _shown(view.steps, most=MOST_ROWS_ASKED_FOR if shows_all else MOST_ROWS):
        row = times.get(step.name)
        rows.append(
            {
                "step": step,
                "badge": state_badge(step.state),
                "page": step_address(step.step_uuid) if may_read else "",
                "queue": _total(row, SpanKind.QUEUE),
                "run": _total(row, SpanKind.RUN),
                "backoff": _total(row, SpanKind.BACKOFF),
                "buttons": _step_buttons(request, step, view),
                "complete": _complete_address(request, step, view),
            }
        )
    left_out = len(view.steps) - len(rows)
    return fragment("task_steps", rows=rows, left_out=left_out, shows_all=shows_all)


def _shown(steps: Sequence[StepLine], *, most: int) -> Sequence[StepLine]:
    """Return the steps to list; of too many those first that somebody may be looking for."""
    if len(steps) <= most:
        return steps
    return sorted(steps, key=lambda step: URGENCY.get(step.state, len(URGENCY)))[:most]


def _step_buttons(request: HttpRequest, step: StepLine, view: TaskView) -> list[Button]:
    subject = _StepSubject(step.state, view.task_state)
    found = buttons(request, "orchestration.workflowstep", step.step_uuid, subject, STEP_ACTIONS)
    return [button for button in found if button.address and not step.is_done]


def _complete_address(request: HttpRequest, step: StepLine, view: TaskView) -> str:
    is_possible = not why_not_complete(_StepSubject(step.state, view.task_state))
    if not (is_possible and may(request, Permission.STEPS_RESOLVE)):
        return ""
    return f"{list_of('orchestration.workflowstep')}{step.step_uuid}/complete/"


class _StepSubject(NamedTuple):
    state: str
    task_state: str


def _total(row: Any, kind: SpanKind) -> str:
    total = row.total(kind) if row else None
    return duration_text(total) if total else ""


def history(request: HttpRequest, view: TaskView) -> SafeString:
    """Return the moves as a table: those of the task, of one step, or all."""
    subject = request.GET.get("history", "")
    shows_all = "moves" in request.GET
    most = MOST_MOVES_ASKED_FOR if shows_all else MOST_MOVES_SHOWN
    wanted = "" if subject == "task" else subject
    moves = [m for m in view.moves if not subject or m.step_name == wanted]
    names = Counter(move.step_name for move in view.moves)
    return fragment(
        "history",
        moves=[move_row(move) for move in moves[:most]],
        left_out=max(len(moves) - most, 0),
        shows_all=shows_all,
        subject=subject,
        names=sorted(name for name in names if name)[:200],
    )


def move_row(move: Move | StepMove) -> dict[str, Any]:
    """Return one move as its row says it."""
    rest = {key: value for key, value in move.metadata.items() if key != "reason"}
    return {
        "move": move,
        "from_badge": state_badge(move.from_state) if move.from_state else "created",
        "to_badge": state_badge(move.to_state),
        "who": _who(move),
        "rest": rest,
    }


def _who(move: Move | StepMove) -> SafeString:
    """Return who moved it: a person by name, a process by the end of its id."""
    who = move.actor or ""
    if move.worker_uuid:
        who = f"worker {str(move.worker_uuid)[-8:]}"
    elif move.processor_uuid and who.startswith("system"):
        who = f"orchestrator {str(move.processor_uuid)[-8:]}"
    return format_html('<span title="{}">{}</span>', move.actor or "", who or "-")
