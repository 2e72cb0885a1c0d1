"""Handlers: which callables the live workers have registered."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration.access.guard import scope_of_request
from orchestration.access.permissions import Permission
from orchestration.api.query import documented, read_query, text
from orchestration.api.view import ApiView
from orchestration.health import fresh_seconds
from orchestration.queries.live_handlers import live_handlers, live_services

NAMESPACE = text("namespace", "Of workers that serve this namespace.")


class HandlerSerializer(serializers.Serializer[Any]):
    """A callable that steps can name, and who has it."""

    callable = serializers.CharField()
    namespaces = serializers.ListField(
        child=serializers.CharField(), help_text="That a live worker with it serves."
    )
    workers = serializers.IntegerField(help_text="Live workers that have it.")


class HandlersView(ApiView):
    """All handlers."""

    required_permissions: ClassVar = {"GET": Permission.SYSTEM_HANDLERS_READ}

    @extend_schema(
        operation_id="list_handlers",
        tags=["system"],
        summary="List the handlers that live workers have",
        parameters=documented([NAMESPACE]),
        responses=HandlerSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return the callables by name."""
        namespace = read_query(request, [NAMESPACE])["namespace"]
        services = live_services(within_seconds=fresh_seconds())
        found = live_handlers(services, scope_of_request(request), namespace=namespace)
        return Response(HandlerSerializer(found, many=True).data)
