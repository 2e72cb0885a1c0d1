"""Analytics: what a period was like, and what is slow in it."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration import analytics
from orchestration.access.guard import scope_of_request
from orchestration.access.permissions import Permission
from orchestration.api.analytics_bodies import BottlenecksSerializer, PerformanceSerializer
from orchestration.api.query import documented, integer, read_query, text
from orchestration.api.view import ApiView

PERIOD = [
    integer("hours", "Length of the period that ends now.", least=1, greatest=720, default=24),
    text("namespace", "This namespace only."),
]
BOTTLENECKS = [
    integer("limit", "Most rows of each list.", least=1, greatest=100, default=10),
    integer(
        "min_executions",
        "Leave out what ran less often in the period.",
        least=1,
        greatest=10_000,
        default=5,
    ),
    *PERIOD,
]
KEPT = f"The answer is kept for {analytics.KEPT_SECONDS} seconds."


class PerformanceView(ApiView):
    """A period in numbers."""

    required_permissions: ClassVar = {"GET": Permission.SYSTEM_ANALYTICS_READ}

    @extend_schema(
        operation_id="get_performance",
        tags=["analytics"],
        summary="Sum a period up: tasks, rates, durations",
        description=KEPT,
        parameters=documented(PERIOD),
        responses=PerformanceSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return what the period was like in the namespaces that the caller sees."""
        asked = read_query(request, PERIOD)
        found = analytics.performance(scope_of_request(request), **asked)
        return Response(PerformanceSerializer(found).data)


class BottlenecksView(ApiView):
    """What is slow."""

    required_permissions: ClassVar = {"GET": Permission.SYSTEM_ANALYTICS_READ}

    @extend_schema(
        operation_id="get_bottlenecks",
        tags=["analytics"],
        summary="Find the slowest steps and templates, and what to do about them",
        description=f"{KEPT} `resource_utilization` is about the whole deployment.",
        parameters=documented(BOTTLENECKS),
        responses=BottlenecksSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return the slowest of the namespaces that the caller sees."""
        asked: dict[str, Any] = read_query(request, BOTTLENECKS)
        found = analytics.bottlenecks(scope_of_request(request), **asked)
        return Response(BottlenecksSerializer(found).data)
