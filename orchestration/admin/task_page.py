"""The page of one task: head and actions, graph, timeline, steps, history, data.

All but the data is one live part, which htmx asks for again while the task may still move; an
unchanged task costs a 304. Without scripts the page is as it was when it was asked for.
"""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.safestring import SafeString

from orchestration.access.permissions import Permission
from orchestration.admin import task_parts
from orchestration.admin.addresses import address_of
from orchestration.admin.copying import creation_commands
from orchestration.admin.display import is_cut, json_block, short_id
from orchestration.admin.pages import demand, fragment, may, page, part
from orchestration.admin.task_view import ACTIVE_STATES, TaskView, is_resting
from orchestration.admin.visibility import sees
from orchestration.conf import admin_settings
from orchestration.pictures.time_axis import Scale
from orchestration.queries.task_page import TaskDetails, find_details

HIDDEN = f"hidden: needs {Permission.TASKS_CONTEXT_READ.value}"


def show(request: HttpRequest, task_uuid: UUID) -> HttpResponse | None:
    """Return the whole page, None for a task that the user does not see."""
    with_context = may(request, Permission.TASKS_CONTEXT_READ)
    details = find_details(task_uuid, with_context=with_context)
    if details is None or not sees(request, details.namespace):
        return None
    return page(
        request,
        "task",
        f"Task {short_id(task_uuid)}",
        subtitle=f"{details.namespace}/{details.name}@{details.version}",
        details=details,
        live=_live_part(request, details),
        data=part("the data", lambda: _data(request, details, with_context=with_context)),
    )


def live(request: HttpRequest, task_uuid: UUID) -> HttpResponse:
    """Answer with the live part, or with 304 when nothing moved since the last look."""
    demand(request, Permission.TASKS_READ)
    details = find_details(task_uuid, with_context=False)
    if details is None or not sees(request, details.namespace):
        raise Http404(f"No task {task_uuid}")
    if request.headers.get("If-None-Match") == _etag(details):
        return _tagged(HttpResponse(status=304), details)
    return _tagged(HttpResponse(_live_part(request, details)), details)


def download(request: HttpRequest, task_uuid: UUID, what: str) -> HttpResponse:
    """Answer with the context or the options as a file."""
    needed = {"context": Permission.TASKS_CONTEXT_READ, "options": Permission.TASKS_READ}
    if what not in needed:
        raise Http404(f"No data {what}")
    demand(request, needed[what])
    details = find_details(task_uuid, with_context=True)
    if details is None or not sees(request, details.namespace):
        raise Http404(f"No task {task_uuid}")
    value = details.context if what == "context" else details.options
    return json_file(f"{what}-{short_id(task_uuid)}.json", value)


def json_file(name: str, value: Any) -> HttpResponse:
    """Answer with a value as a file to be downloaded."""
    answer = JsonResponse(value, safe=False, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _live_part(request: HttpRequest, details: TaskDetails) -> SafeString:
    view = TaskView(details.task_uuid, details.state)
    scale: Scale = "wall" if request.GET.get("scale") == "wall" else "run"
    return fragment(
        "task_live",
        details=details,
        etag=_etag(details),
        seconds=_pause_seconds(details.state),
        seen=view.now,
        query=request.GET.urlencode(),
        head=part("the head", lambda: task_parts.head(request, details, view)),
        graph=part("the graph", lambda: task_parts.graph(request, view)),
        timeline=part("the timeline", lambda: task_parts.timeline(details, view, scale)),
        steps=part("the table of steps", lambda: task_parts.steps(request, view)),
        history=part("the history", lambda: task_parts.history(request, view)),
    )


def _pause_seconds(state: str) -> int:
    """Return the pause until the next look, 0 for none."""
    pause = admin_settings().admin_refresh_seconds
    if is_resting(state):
        return 0
    return min(pause, 1) if state in ACTIVE_STATES else pause


def _data(request: HttpRequest, details: TaskDetails, *, with_context: bool) -> SafeString:
    is_whole = with_context and not is_cut(details.context)
    curl, cli = creation_commands(request, details) if is_whole else ("", "")
    again = address_of("templates_registry.namedtask", details.named_task_uuid)
    return fragment(
        "task_data",
        details=details,
        context=json_block(details.context) if with_context else HIDDEN,
        options=json_block(details.options),
        is_context_cut=with_context and not is_whole,
        curl=curl,
        cli=cli,
        again=f"{again}run/?again={details.task_uuid}"
        if with_context and may(request, Permission.TASKS_CREATE)
        else "",
    )


def _etag(details: TaskDetails) -> str:
    """Return the mark of what is shown; it is read first, so at worst one look is needless."""
    return f'"{details.revision}"'


def _tagged(answer: HttpResponse, details: TaskDetails) -> HttpResponse:
    answer["ETag"] = _etag(details)
    answer["Cache-Control"] = "private, no-cache"
    return answer
