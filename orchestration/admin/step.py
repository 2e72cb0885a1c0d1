"""Steps in the admin: the list; one step has its own page."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orchestration.access.permissions import Permission
from orchestration.admin import complete_step, step_page
from orchestration.admin.addresses import address_of, page_of
from orchestration.admin.display import moment, short_id, state_badge
from orchestration.admin.read_only import ReadOnlyAdmin
from orchestration.admin.search import uuid_between, uuid_ending
from orchestration.admin.step_actions import STEP_ACTIONS
from orchestration.models import WorkflowStep


class StepAdmin(ReadOnlyAdmin):
    """Steps."""

    noun = "step"
    list_permission = Permission.STEPS_READ
    read_permission = Permission.STEPS_READ
    namespace_field = step_page.NAMESPACE
    operator_actions = STEP_ACTIONS
    large_fields = ("inputs", "results", "checkpoint")
    list_display = (
        "link",
        "task_link",
        "state_shown",
        "step_type",
        "attempts_shown",
        "next_retry",
        "last_attempt",
        "completed",
    )
    list_display_links = None
    list_filter: ClassVar[Any] = ("state", "step_type")
    search_fields = ("name",)
    search_help_text = "name; id of the step or its task, its start or last 8 digits"
    ordering = ("-workflow_step_uuid",)  # a v7 is a clock, and its index is there
    sortable_by = ()

    def get_urls(self) -> list[URLPattern]:
        """Add the form that finishes a step by hand, and the downloads of its data."""
        wrap = self.admin_site.admin_view
        name = "orchestration_workflowstep"
        return [
            path("<uuid:object_id>/complete/", wrap(complete_step.view), name=f"{name}_complete"),
            path(
                "<uuid:step_uuid>/data/<slug:what>/", wrap(step_page.download), name=f"{name}_data"
            ),
            *super().get_urls(),
        ]

    def show(self, request: HttpRequest, key: UUID) -> HttpResponse | None:
        """Return the page of one step."""
        return step_page.show(request, key)

    def name_of(self, subject: Any) -> str:
        """Return name, task and state."""
        return f"{subject.name} of task {short_id(subject.task_id)}, {subject.state}"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find steps by their name, their id, or the id of their task."""
        word = search_term.strip()
        if not word or "\x00" in word:
            return (queryset.none() if word else queryset), False
        meant = Q(name__icontains=word)
        for field in ("workflow_step_uuid", "task_id"):
            meant |= uuid_between(field, word) or Q()
        if ending := uuid_ending("workflow_step_uuid", word):
            annotation, condition = ending
            queryset, meant = queryset.alias(**annotation), meant | condition
        return queryset.filter(meant), False

    @admin.display(description="step")
    def link(self, step: WorkflowStep) -> SafeString:
        """Return the name as a link to the step's page."""
        return format_html(
            '<a href="{}" class="tk-link tk-cut" title="{}">{}</a>',
            page_of(step),
            step.name,
            step.name,
        )

    @admin.display(description="task")
    def task_link(self, step: WorkflowStep) -> SafeString:
        """Return a link to the task."""
        address = address_of("orchestration.task", step.task_id)
        return format_html(
            '<a href="{}" class="tk-link tk-mono">{}</a>', address, short_id(step.task_id)
        )

    @admin.display(description="state")
    def state_shown(self, step: WorkflowStep) -> SafeString:
        """Return the state with its colour."""
        return state_badge(step.state)

    @admin.display(description="attempts")
    def attempts_shown(self, step: WorkflowStep) -> str:
        """Return the attempts made and allowed."""
        return f"{step.attempts}/{step.max_attempts}"

    @admin.display(description="next retry")
    def next_retry(self, step: WorkflowStep) -> SafeString:
        """Return when a failed step runs again."""
        return moment(step.next_retry_at)

    @admin.display(description="last attempt")
    def last_attempt(self, step: WorkflowStep) -> SafeString:
        """Return when the step was last claimed."""
        return moment(step.last_attempted_at)

    @admin.display(description="finished")
    def completed(self, step: WorkflowStep) -> SafeString:
        """Return when the step was done."""
        return moment(step.completed_at)
