"""What graphs look like on the wire (api-and-operations 1.10)."""

from typing import Any

from rest_framework import serializers

from orchestration.pictures.graph_rows import task_graph_rows
from orchestration.queries.task_graph import TaskGraph
from orchestration.states import StepState, StepType
from templates_registry import dag
from templates_registry.schema import TaskTemplate


class TemplateNodeSerializer(serializers.Serializer[Any]):
    """A step of a template."""

    id = serializers.CharField(help_text="What edges name it by.")
    name = serializers.CharField()
    step_type = serializers.ChoiceField(choices=StepType.choices)
    level = serializers.IntegerField(
        help_text="Longest way from a step that waits for nothing, which is at 0."
    )


class GraphNodeSerializer(TemplateNodeSerializer):
    """A step of a task, or one that its template foresees."""

    step_uuid = serializers.UUIDField(allow_null=True, help_text="Null when it does not exist.")
    state = serializers.ChoiceField(
        choices=StepState.choices, allow_null=True, help_text="Null when it does not exist."
    )
    attempts = serializers.IntegerField()
    untraversed = serializers.BooleanField(help_text="It does not exist, and never will.")


class TemplateEdgeSerializer(serializers.Serializer[Any]):
    """A dependency between two nodes."""

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; one of them is a word of Python's."""
        return {
            "from": serializers.CharField(help_text="Id of the step that comes first."),
            "to": serializers.CharField(help_text="Id of the step that waits for it."),
        }


class GraphEdgeSerializer(TemplateEdgeSerializer):
    """A dependency between two nodes of a task."""

    def get_fields(self) -> dict[str, Any]:
        """Add whether the second one still waits."""
        satisfied = serializers.BooleanField(help_text="The first one is complete or resolved.")
        return {**super().get_fields(), "satisfied": satisfied}


class TemplateGraphSerializer(serializers.Serializer[Any]):
    """The graph of a template."""

    nodes = TemplateNodeSerializer(many=True)
    edges = TemplateEdgeSerializer(many=True)


class TaskGraphSerializer(serializers.Serializer[Any]):
    """The graph of a task as it is now."""

    nodes = GraphNodeSerializer(many=True)
    edges = GraphEdgeSerializer(many=True)


def template_graph_body(template: TaskTemplate) -> dict[str, Any]:
    """Return the answer about the graph of a template."""
    levels = dag.levels(template.dependencies())
    nodes = [
        {"id": step.name, "name": step.name, "step_type": step.type, "level": levels[step.name]}
        for step in template.steps
    ]
    edges = [
        {"from": parent, "to": step.name} for step in template.steps for parent in step.dependencies
    ]
    body: dict[str, Any] = TemplateGraphSerializer({"nodes": nodes, "edges": edges}).data
    return body


def task_graph_body(graph: TaskGraph) -> dict[str, Any]:
    """Return the answer about the graph of a task."""
    nodes, edges = task_graph_rows(graph)
    shown = [
        {"from": edge.source, "to": edge.target, "satisfied": edge.satisfied} for edge in edges
    ]
    body: dict[str, Any] = TaskGraphSerializer({"nodes": nodes, "edges": shown}).data
    return body
