"""Addresses below /v1/; a middleware drops a slash at their end before they are looked up."""

from django.urls import path, re_path

from orchestration.api.analytics import BottlenecksView, PerformanceView
from orchestration.api.dlq import (
    DlqEntryView,
    DlqStatsView,
    DlqTaskView,
    DlqView,
    InvestigationQueueView,
    StalenessView,
)
from orchestration.api.docs import JsonDocument
from orchestration.api.handlers import HandlersView
from orchestration.api.history import StepAuditView, TransitionsView
from orchestration.api.steps import StepsView, StepView
from orchestration.api.task_bulk import TaskBulkView
from orchestration.api.task_parts import TaskContextView, TaskGraphView, TaskSummaryView
from orchestration.api.tasks import TasksView, TaskView
from orchestration.api.templates import (
    TemplateCheckView,
    TemplateGraphView,
    TemplatesView,
    TemplateVersionsView,
    TemplateView,
)
from orchestration.api.view import NothingHere
from orchestration.api.workers import WorkersView

TASK = "tasks/<str:task_uuid>"
STEPS = f"{TASK}/workflow_steps"
TEMPLATE = "templates/<str:namespace>/<str:name>"
urlpatterns = [
    path("tasks", TasksView.as_view(), name="tasks"),
    path("tasks/bulk", TaskBulkView.as_view(), name="task-bulk"),
    path(TASK, TaskView.as_view(), name="task"),
    path(f"{TASK}/summary", TaskSummaryView.as_view(), name="task-summary"),
    path(f"{TASK}/context", TaskContextView.as_view(), name="task-context"),
    path(f"{TASK}/transitions", TransitionsView.as_view(), name="transitions"),
    path(f"{TASK}/graph", TaskGraphView.as_view(), name="task-graph"),
    path(STEPS, StepsView.as_view(), name="steps"),
    path(f"{STEPS}/<str:step_uuid>", StepView.as_view(), name="step"),
    path(f"{STEPS}/<str:step_uuid>/audit", StepAuditView.as_view(), name="step-audit"),
    path("templates", TemplatesView.as_view(), name="templates"),
    path("templates/validate", TemplateCheckView.as_view(), name="template-check"),
    path(TEMPLATE, TemplateVersionsView.as_view(), name="template-versions"),
    path(f"{TEMPLATE}/<str:version>", TemplateView.as_view(), name="template"),
    path(f"{TEMPLATE}/<str:version>/graph", TemplateGraphView.as_view(), name="template-graph"),
    path("handlers", HandlersView.as_view(), name="handlers"),
    path("analytics/performance", PerformanceView.as_view(), name="performance"),
    path("analytics/bottlenecks", BottlenecksView.as_view(), name="bottlenecks"),
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
