"""Answers that are a graph: rows for programs, or the text of a Mermaid drawing."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.serializers import Serializer

from orchestration.api.query import choice
from orchestration.api.view import ApiView

FORMAT = choice(
    "format",
    "Rows, or the text of a Mermaid drawing.",
    choices=("json", "mermaid"),
    default="json",
)
MERMAID = "text/plain; charset=utf-8"


class GraphView(ApiView):
    """A view whose answer is JSON or text, as its parameter says, whatever `Accept` prefers."""

    def perform_content_negotiation(self, request: Any, force: bool = False) -> Any:
        """Never answer 406: the parameter decides."""
        return super().perform_content_negotiation(request, force=True)


def graph_answer(drawing: str) -> HttpResponse:
    """Return a drawing as text."""
    return HttpResponse(drawing, content_type=MERMAID)


def graph_responses(serializer: type[Serializer[Any]]) -> dict[Any, Any]:
    """Return both forms for the OpenAPI document."""
    return {
        (200, "application/json"): OpenApiResponse(serializer, "The graph."),
        (200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, "The graph."),
    }
