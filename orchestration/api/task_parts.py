"""Looks at one task apart from itself: its context, its graph, its summary."""

from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration.access.guard import scope_of_request
from orchestration.access.permissions import Permission
from orchestration.api.graph_answers import FORMAT, GraphView, graph_answer, graph_responses
from orchestration.api.graph_bodies import TaskGraphSerializer, task_graph_body
from orchestration.api.query import documented, read_query, read_uuid
from orchestration.api.summary_answer import summary_answer
from orchestration.api.summary_bodies import TaskSummarySerializer
from orchestration.api.task_bodies import TaskContextSerializer
from orchestration.api.tasks import TASK_PATH
from orchestration.api.view import ApiView, require_task
from orchestration.errors import NotFoundError
from orchestration.pictures import render_task
from orchestration.queries.task_graph import find_task_graph
from orchestration.queries.task_list import find_task


class TaskContextView(ApiView):
    """What a task was given."""

    required_permissions: ClassVar = {"GET": Permission.TASKS_CONTEXT_READ}

    @extend_schema(
        operation_id="get_task_context",
        tags=["tasks"],
        summary="Look at the context and the options of a task",
        parameters=[TASK_PATH],
        responses=TaskContextSerializer,
    )
    def get(self, request: Request, task_uuid: str) -> Response:
        """Return both as they were sent."""
        read_query(request, ())
        uuid = read_uuid(task_uuid, "task")
        row = find_task(uuid, scope_of_request(request))
        if row is None:
            raise NotFoundError(f"There is no task {uuid}")
        told = {"task_uuid": uuid, "context": row.context, "options": row.options or {}}
        return Response(TaskContextSerializer(told).data)


class TaskGraphView(GraphView):
    """The graph of a task."""

    required_permissions: ClassVar = {"GET": Permission.STEPS_READ}

    @extend_schema(
        operation_id="get_task_graph",
        tags=["tasks"],
        summary="Draw a task: its steps, their states, what they wait for",
        parameters=[TASK_PATH, *documented([FORMAT])],
        responses=graph_responses(TaskGraphSerializer),
    )
    def get(self, request: Request, task_uuid: str) -> HttpResponse:
        """Return nodes and edges, or the text that Mermaid draws."""
        form = read_query(request, [FORMAT])["format"]
        uuid = read_uuid(task_uuid, "task")
        require_task(request, uuid)
        graph = find_task_graph(uuid)
        if graph is None:  # purged a moment ago
            raise NotFoundError(f"There is no task {uuid}")
        if form == "json":
            return Response(task_graph_body(graph))
        return graph_answer(render_task(graph, output_format="mermaid"))


class TaskSummaryView(ApiView):
    """A task without anything that its callers or handlers said."""

    required_permissions: ClassVar = {"GET": Permission.TASKS_READ}

    @extend_schema(
        operation_id="get_task_summary",
        tags=["tasks"],
        summary="Sum a task up",
        description="Holds neither context nor options, results or messages of errors: safe for "
        "readers who may know little, and for language models.",
        parameters=[TASK_PATH],
        responses=TaskSummarySerializer,
    )
    def get(self, request: Request, task_uuid: str) -> Response:
        """Return the task, its template, its steps and its investigation in short."""
        read_query(request, ())
        uuid = read_uuid(task_uuid, "task")
        return Response(summary_answer(uuid, scope_of_request(request)))
