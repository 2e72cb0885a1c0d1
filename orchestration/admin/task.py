"""Tasks in the admin: the list with its filters, actions and export; one task has its own page."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orchestration.access.permissions import Permission
from orchestration.admin import dashboard, task_page
from orchestration.admin.addresses import page_of
from orchestration.admin.display import age, progress_bar, short_id, state_badge
from orchestration.admin.export import csv_response
from orchestration.admin.namespace_names import namespace_names
from orchestration.admin.read_only import ReadOnlyAdmin
from orchestration.admin.search import uuid_between, uuid_ending
from orchestration.admin.task_actions import TASK_ACTIONS
from orchestration.admin.task_list import TaskList
from orchestration.conf import admin_settings
from orchestration.models import Task
from templates_registry.models import NamedTask

MOST_TEMPLATES = 200
EXPORTED = (
    "task_uuid",
    "named_task__task_namespace__name",
    "named_task__name",
    "named_task__version",
    "state",
    "priority",
    "initiator",
    "source_system",
    "reason",
    "correlation_id",
    "created_at",
    "completed_at",
)


@admin.action(description="Export the selected tasks as CSV")
def export_csv(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Task]
) -> HttpResponseBase | None:
    """Answer with the chosen rows as a file."""
    most = admin_settings().admin_bulk_limit
    rows = list(queryset.values_list(*EXPORTED)[: most + 1])
    if len(rows) > most:
        text = f"More than {most} are selected; narrow the list and export in parts."
        model_admin.message_user(request, text, messages.ERROR)
        return None
    columns = [name.rpartition("__")[2] for name in EXPORTED]
    columns[1:4] = ["namespace", "template", "version"]
    return csv_response(f"tasks-{timezone.now():%Y%m%d-%H%M%S}.csv", columns, rows)


class TaskAdmin(ReadOnlyAdmin):
    """Tasks."""

    noun = "task"
    list_permission = Permission.TASKS_LIST
    read_permission = Permission.TASKS_READ
    namespace_field = "named_task__task_namespace__name"
    operator_actions = TASK_ACTIONS
    large_fields = ("context", "options", "bypass_steps")
    change_list_template = "admin/orchestration/task_list.html"
    list_display = (
        "link",
        "template",
        "state_shown",
        "progress_shown",
        "last_error",
        "priority",
        "initiator_shown",
        "age_shown",
        "duration",
    )
    list_display_links = None
    list_select_related = ("named_task__task_namespace",)
    search_fields = ("named_task__name",)
    search_help_text = "id, its start or last 8 digits; correlation id; tag; template"
    ordering = ("-created_at", "-task_uuid")

    # ------------------------------------------------------------ addresses

    def get_urls(self) -> list[URLPattern]:
        """Add the dashboard, the live part of a task's page, and the downloads of its data."""
        wrap = self.admin_site.admin_view
        live, data = wrap(task_page.live), wrap(task_page.download)
        return [
            path("dashboard/", wrap(dashboard.view), name="orchestration_dashboard"),
            path("<uuid:task_uuid>/live/", live, name="orchestration_task_live"),
            path("<uuid:task_uuid>/data/<slug:what>/", data, name="orchestration_task_data"),
            *super().get_urls(),
        ]

    def show(self, request: HttpRequest, key: UUID) -> HttpResponse | None:
        """Return the page of one task."""
        return task_page.show(request, key)

    def name_of(self, subject: Any) -> str:
        """Return template, end of the id and state."""
        return f"{subject.named_task}, {short_id(subject.pk)}, {subject.state}"

    # ------------------------------------------------------------ the list

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that filters, counts and knows the progress of its tasks."""
        return TaskList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list with the names that a filter may ask for."""
        more = {"namespaces": namespace_names(request), **(extra_context or {})}
        answer: HttpResponse = super().changelist_view(request, more)
        return answer

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the actions that the user may perform, and the export."""
        description = "Export the selected tasks as CSV"
        return {
            **super().get_actions(request),
            "export_csv": (export_csv, "export_csv", description),
        }

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find tasks by anything that names them."""
        word = search_term.strip()
        if not word or "\x00" in word:
            return (queryset.none() if word else queryset), False
        # the ids first: a condition on another table would keep the indexes out of the "or"
        named = NamedTask.objects.filter(name__icontains=word).values_list("pk", flat=True)
        meant = Q(tags__contains=[word]) | Q(named_task__in=list(named[:MOST_TEMPLATES]))
        if request.GET.get("template"):
            meant |= Q(idempotency_key=word)
        for field in ("task_uuid", "correlation_id", "parent_correlation_id"):
            meant |= uuid_between(field, word) or Q()
        if ending := uuid_ending("task_uuid", word):
            annotation, condition = ending
            queryset, meant = queryset.alias(**annotation), meant | condition
        return queryset.filter(meant), False

    # ------------------------------------------------------------ columns

    @admin.display(description="task", ordering="task_uuid")
    def link(self, task: Task) -> SafeString:
        """Return the end of the id as a link, and a button that copies all of it."""
        return format_html(
            '<span class="tk-nowrap"><a href="{}" class="tk-link tk-mono" title="{}">{}</a> '
            '<button type="button" class="tk-button tk-small" data-copy="{}" '
            'aria-label="Copy id">Copy</button></span>',
            page_of(task),
            task.pk,
            short_id(task.pk),
            task.pk,
        )

    @admin.display(description="template", ordering="named_task__name")
    def template(self, task: Task) -> SafeString:
        """Return namespace, name and version."""
        return format_html(
            '<span class="tk-cut" title="{}">{}</span>', str(task.named_task), str(task.named_task)
        )

    @admin.display(description="state", ordering="state")
    def state_shown(self, task: Any) -> SafeString:
        """Return the state with its colour, and whether the task is under investigation."""
        badge = state_badge(task.state)
        if not (task.progress and task.progress.is_in_dlq):
            return badge
        return format_html('{} <span class="tk-badge tk-red" title="in the DLQ">DLQ</span>', badge)

    @admin.display(description="progress")
    def progress_shown(self, task: Any) -> SafeString | str:
        """Return how many steps are done."""
        found = task.progress
        return progress_bar(found.completed_steps, found.total_steps) if found else ""

    @admin.display(description="initiator", ordering="initiator")
    def initiator_shown(self, task: Task) -> SafeString:
        """Return who asked for the task."""
        return format_html(
            '<span class="tk-cut" style="max-width:10rem" title="{}">{}</span>',
            task.initiator,
            task.initiator,
        )

    @admin.display(description="age", ordering="-created_at")
    def age_shown(self, task: Task) -> SafeString:
        """Return how long ago the task was created."""
        return format_html(
            '<span title="{}" class="tk-nowrap">{}</span>',
            task.created_at.isoformat(),
            age(task.created_at),
        )

    @admin.display(description="duration")
    def duration(self, task: Task) -> SafeString | str:
        """Return how long a finished task took."""
        if task.completed_at is None:
            return ""
        took = age(task.created_at, until=task.completed_at)
        return format_html('<span class="tk-nowrap">{}</span>', took)

    @admin.display(description="last error")
    def last_error(self, task: Any) -> SafeString | str:
        """Return which step failed last, and why."""
        found = task.progress
        if not (found and found.failed_step):
            return ""
        text = f"{found.failed_step}: {found.error or 'failed'}"
        return format_html('<span class="tk-cut" title="{}">{}</span>', text, text)
