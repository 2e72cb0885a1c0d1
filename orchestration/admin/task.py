"""Tasks in the admin: the list with its filters, and one task with its steps and its history."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.http import HttpRequest
from django.template.loader import render_to_string

from orchestration.access.permissions import Permission, user_may
from orchestration.admin.actions import OperatorAction
from orchestration.admin.display import json_block, state_badge
from orchestration.admin.history import moves_of_task
from orchestration.admin.read_only import ReadOnlyAdmin
from orchestration.admin.search import uuid_between, uuid_ending
from orchestration.lifecycle import operator_actions
from orchestration.models import Task, WorkflowStep
from orchestration.queries.readiness import task_contexts
from orchestration.states import TERMINAL_TASK_STATES

MOST_STEPS = 1000
HIDDEN = f"hidden: needs {Permission.TASKS_CONTEXT_READ.value}"
TASK_ACTIONS = (
    OperatorAction(
        "retry_failed_steps",
        "Retry the failed steps of the selected tasks",
        "Retry failed steps",
        "retried",
        Permission.STEPS_RESOLVE,
        operator_actions.retry_failed_steps,
    ),
    OperatorAction(
        "cancel",
        "Cancel the selected tasks",
        "Cancel",
        "cancelled",
        Permission.TASKS_CANCEL,
        operator_actions.cancel_task,
    ),
    OperatorAction(
        "resolve",
        "Close the selected tasks by hand",
        "Resolve",
        "resolved",
        Permission.TASKS_CANCEL,
        operator_actions.resolve_task,
    ),
    OperatorAction(
        "give_up",
        "Give the selected tasks up",
        "Give up",
        "given up",
        Permission.TASKS_CANCEL,
        operator_actions.give_up_task,
    ),
    OperatorAction(
        "reset",
        "Reset the selected tasks, which are in error",
        "Reset",
        "reset",
        Permission.STEPS_RESOLVE,
        operator_actions.reset_task,
    ),
)


class StateGroup(admin.SimpleListFilter):
    """Tasks that still move or wait, and those that ended."""

    title = "group of states"
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the two groups."""
        return [("open", "open"), ("terminal", "terminal")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        """Keep the tasks of the chosen group."""
        ended = Q(state__in=TERMINAL_TASK_STATES)
        chosen = {"open": ~ended, "terminal": ended}
        return queryset.filter(chosen.get(self.value() or "", Q()))


class TaskList(ChangeList):
    """Asks once for the progress of all tasks of the page."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page and what the steps of its tasks add up to."""
        super().get_results(request)
        shown: list[Any] = list(self.result_list)
        contexts = {each.task_uuid: each for each in task_contexts([task.pk for task in shown])}
        for task in shown:
            task.steps_summary = contexts.get(task.pk)
        self.result_list = shown


class TaskAdmin(ReadOnlyAdmin):
    """Tasks."""

    list_permission = Permission.TASKS_LIST
    read_permission = Permission.TASKS_READ
    operator_actions = TASK_ACTIONS
    large_fields = ("context", "options", "bypass_steps")
    list_display = (
        "short_id",
        "template",
        "state_shown",
        "progress",
        "priority",
        "initiator",
        "created_at",
        "completed_at",
    )
    list_filter = (StateGroup, "state", "named_task__task_namespace", "created_at")
    list_select_related = ("named_task__task_namespace",)
    search_fields = ("named_task__name",)
    search_help_text = (
        "id, its beginning or last eight digits; correlation id; tag; template; idempotency key"
    )
    ordering = ("-created_at", "-task_uuid")
    fieldsets: ClassVar[Any] = (
        (
            None,
            {
                "fields": (
                    "task_uuid",
                    "template",
                    "state_shown",
                    "priority",
                    "initiator",
                    "source_system",
                    "reason",
                    "tags",
                    "created_at",
                    "requested_at",
                    "state_entered_at",
                    "completed_at",
                    "correlation_id",
                    "parent_correlation_id",
                    "idempotency_key",
                )
            },
        ),
        ("Steps", {"fields": ("steps_shown",)}),
        ("History", {"fields": ("history_shown",)}),
        ("Data", {"fields": ("context_shown", "options_shown")}),
    )
    readonly_fields = (
        "task_uuid",
        "template",
        "state_shown",
        "created_at",
        "state_entered_at",
        "completed_at",
        "steps_shown",
        "history_shown",
        "context_shown",
        "options_shown",
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows the progress of its tasks."""
        return TaskList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find tasks by anything that names them."""
        word = search_term.strip()
        if not word or "\x00" in word:
            return (queryset.none() if word else queryset), False
        meant = Q(tags__contains=[word]) | Q(named_task__name__icontains=word)
        meant |= Q(idempotency_key=word)
        for field in ("task_uuid", "correlation_id", "parent_correlation_id"):
            meant |= uuid_between(field, word) or Q()
        if ending := uuid_ending("task_uuid", word):
            annotation, condition = ending
            queryset, meant = queryset.annotate(**annotation), meant | condition
        return queryset.filter(meant), False

    @admin.display(description="task", ordering="task_uuid")
    def short_id(self, task: Task) -> str:
        """Return the end of the id; its beginning is a clock."""
        return str(task.pk)[-8:]

    @admin.display(description="template", ordering="named_task__name")
    def template(self, task: Task) -> str:
        """Return namespace, name and version."""
        return str(task.named_task)

    @admin.display(description="state", ordering="state")
    def state_shown(self, task: Task) -> str:
        """Return the state with its colour."""
        return state_badge(task.state)

    @admin.display(description="progress")
    def progress(self, task: Any) -> str:
        """Return how many steps are done."""
        steps = task.steps_summary
        return f"{steps.completed_steps} of {steps.total_steps}" if steps else "-"

    @admin.display(description="steps")
    def steps_shown(self, task: Task) -> str:
        """Return the steps as a table."""
        steps = task.steps.order_by("created_at", "workflow_step_uuid").annotate(
            error=KT("results__error__message")
        )
        rows = steps.defer("results", "checkpoint", "inputs")[: MOST_STEPS + 1]
        shown: list[WorkflowStep] = list(rows)
        return render_to_string(
            "admin/orchestration/steps.html",
            {
                "steps": [(step, state_badge(step.state)) for step in shown[:MOST_STEPS]],
                "is_cut": len(shown) > MOST_STEPS,
            },
        )

    @admin.display(description="moves, the newest first")
    def history_shown(self, task: Task) -> str:
        """Return the moves of the task and its steps as a table."""
        return render_to_string(
            "admin/orchestration/history.html", {"moves": moves_of_task(task.pk)}
        )

    @admin.display(description="context")
    def context_shown(self, task: Any) -> str:
        """Return the context, where it may be seen."""
        return json_block(task.context) if task.shows_context else HIDDEN

    @admin.display(description="options")
    def options_shown(self, task: Task) -> str:
        """Return the options."""
        return json_block(task.options)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """Return one task, and whether this user sees its context."""
        task: Any = super().get_object(request, object_id, from_field)
        if task is not None:
            task.shows_context = user_may(request.user, Permission.TASKS_CONTEXT_READ)
        return task
