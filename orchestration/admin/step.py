"""Steps in the admin: the list, and one step with its data and its history."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html_join

from orchestration.access.permissions import Permission
from orchestration.admin.actions import OperatorAction
from orchestration.admin.display import json_block, state_badge
from orchestration.admin.history import moves_of_step
from orchestration.admin.read_only import ReadOnlyAdmin
from orchestration.admin.search import uuid_between, uuid_ending
from orchestration.lifecycle import operator_actions
from orchestration.models import WorkflowStep

STEP_ACTIONS = (
    OperatorAction(
        "reset",
        "Let the selected steps, which are in error, run again",
        "Reset",
        "reset",
        Permission.STEPS_RESOLVE,
        operator_actions.reset_step,
    ),
    OperatorAction(
        "resolve",
        "Treat the selected steps as done",
        "Resolve",
        "resolved",
        Permission.STEPS_RESOLVE,
        operator_actions.resolve_step,
    ),
)


class StepAdmin(ReadOnlyAdmin):
    """Steps."""

    list_permission = Permission.STEPS_READ
    read_permission = Permission.STEPS_READ
    operator_actions = STEP_ACTIONS
    large_fields = ("inputs", "results", "checkpoint")
    list_display = (
        "name",
        "task_link",
        "state_shown",
        "step_type",
        "attempts_shown",
        "next_retry_at",
        "last_attempted_at",
        "completed_at",
    )
    list_filter = ("state", "step_type")
    search_fields = ("name",)
    search_help_text = "name; id of the step or its task, its beginning or last eight digits"
    ordering = ("-created_at", "-workflow_step_uuid")
    fieldsets: ClassVar[Any] = (
        (
            None,
            {
                "fields": (
                    "workflow_step_uuid",
                    "name",
                    "task_link",
                    "state_shown",
                    "step_type",
                    "attempts_shown",
                    "retryable",
                    "timeout_seconds",
                    "parents_shown",
                    "created_at",
                    "last_attempted_at",
                    "last_failure_at",
                    "next_retry_at",
                    "claimed_by",
                    "lease_until",
                    "completed_at",
                )
            },
        ),
        ("History", {"fields": ("history_shown",)}),
        ("Data", {"fields": ("inputs_shown", "results_shown", "checkpoint_shown")}),
    )
    readonly_fields = (
        "workflow_step_uuid",
        "task_link",
        "state_shown",
        "attempts_shown",
        "parents_shown",
        "created_at",
        "completed_at",
        "history_shown",
        "inputs_shown",
        "results_shown",
        "checkpoint_shown",
    )

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
            queryset, meant = queryset.annotate(**annotation), meant | condition
        return queryset.filter(meant), False

    @admin.display(description="task", ordering="task_id")
    def task_link(self, step: WorkflowStep) -> str:
        """Return a link to the task."""
        return render_to_string("admin/orchestration/task_link.html", {"task_uuid": step.task_id})

    @admin.display(description="state", ordering="state")
    def state_shown(self, step: WorkflowStep) -> str:
        """Return the state with its colour."""
        return state_badge(step.state)

    @admin.display(description="attempts", ordering="attempts")
    def attempts_shown(self, step: WorkflowStep) -> str:
        """Return the attempts made and allowed."""
        return f"{step.attempts} of {step.max_attempts}"

    @admin.display(description="parents")
    def parents_shown(self, step: WorkflowStep) -> str:
        """Return the steps that this one waits for."""
        parents = WorkflowStep.objects.filter(outgoing_edges__to_step=step).distinct()
        names = parents.order_by("name").values_list("name", "state")
        shown = [(name, state_badge(state)) for name, state in names]
        return format_html_join(", ", "{} {}", shown) or "-"

    @admin.display(description="moves, the newest first")
    def history_shown(self, step: WorkflowStep) -> str:
        """Return the moves of the step as a table."""
        return render_to_string(
            "admin/orchestration/history.html", {"moves": moves_of_step(step.pk)}
        )

    @admin.display(description="inputs")
    def inputs_shown(self, step: WorkflowStep) -> str:
        """Return the inputs."""
        return json_block(step.inputs)

    @admin.display(description="results")
    def results_shown(self, step: WorkflowStep) -> str:
        """Return the results."""
        return json_block(step.results)

    @admin.display(description="checkpoint")
    def checkpoint_shown(self, step: WorkflowStep) -> str:
        """Return the checkpoint."""
        return json_block(step.checkpoint)
