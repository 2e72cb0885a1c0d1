"""Orchestrators and workers: who runs, what it serves, how busy it is."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration import health
from orchestration.access.guard import scope_of_request
from orchestration.access.permissions import Permission
from orchestration.api.query import documented, read_query, text
from orchestration.api.view import ApiView
from orchestration.api.worker_bodies import ProcessSerializer, process_body
from orchestration.queries.process_list import find_processes

PARAMETERS = [text("namespace", "Workers that serve this namespace.")]


class WorkersView(ApiView):
    """All processes that run, or should."""

    required_permissions: ClassVar = {"GET": Permission.SYSTEM_HANDLERS_READ}

    @extend_schema(
        operation_id="list_workers",
        tags=["system"],
        summary="List the orchestrators and workers that run",
        description="`stale` says that it runs, but was not heard for three heartbeats. Of a "
        "worker's namespaces those are named that the caller sees.",
        parameters=documented(PARAMETERS),
        responses=ProcessSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the rows of processes, by kind and name."""
        asked: dict[str, Any] = read_query(request, PARAMETERS)
        found = find_processes(
            scope_of_request(request),
            fresh_seconds=health.fresh_seconds(),
            namespace=asked["namespace"],
        )
        return Response([process_body(row) for row in found])
