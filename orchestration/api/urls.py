"""Addresses below /v1/; a middleware drops a slash at their end before they are looked up."""

from django.urls import path, re_path

from orchestration.api.dlq import (
    DlqEntryView,
    DlqStatsView,
    DlqTaskView,
    DlqView,
    InvestigationQueueView,
    StalenessView,
)
from orchestration.api.docs import JsonDocument
from orchestration.api.steps import StepsView, StepView
from orchestration.api.tasks import TasksView, TaskView
from orchestration.api.view import NothingHere
from orchestration.api.workers import WorkersView

STEPS = "tasks/<str:task_uuid>/workflow_steps"
urlpatterns = [
    path("tasks", TasksView.as_view(), name="tasks"),
    path("tasks/<str:task_uuid>", TaskView.as_view(), name="task"),
    path(STEPS, StepsView.as_view(), name="steps"),
    path(f"{STEPS}/<str:step_uuid>", StepView.as_view(), name="step"),
    path("dlq", DlqView.as_view(), name="dlq"),
    path("dlq/task/<str:task_uuid>", DlqTaskView.as_view(), name="dlq-task"),
    path("dlq/entry/<str:entry_uuid>", DlqEntryView.as_view(), name="dlq-entry"),
    path("dlq/stats", DlqStatsView.as_view(), name="dlq-stats"),
    path("dlq/investigation-queue", InvestigationQueueView.as_view(), name="dlq-queue"),
    path("dlq/staleness", StalenessView.as_view(), name="dlq-staleness"),
    path("workers", WorkersView.as_view(), name="workers"),
    path("schema", JsonDocument.as_view(), name="schema"),
    re_path(r"", NothingHere.as_view()),
]
