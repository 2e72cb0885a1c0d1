"""`/config`: the settings in force and where they came from, secrets hidden (§1.12).

Served by every kind of process where CONFIG_ENDPOINT_ENABLED says so; elsewhere it is not there.
"""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration.access.permissions import Permission
from orchestration.conf import observability_settings
from orchestration.configuration import effective_settings
from orchestration.errors import InvalidRequestError, NotFoundError
from orchestration.http.view import ApiView
from orchestration.runtime.identity import tasker_version
from templates_registry.conf import registry_settings


class EffectiveSettingSerializer(serializers.Serializer[Any]):
    """One setting."""

    value = serializers.JSONField(allow_null=True)
    source = serializers.ChoiceField(  # type: ignore[assignment]  # hides what output ignores
        choices=("default", "profile", "environment", "code")
    )
    variable = serializers.CharField()


class ConfigurationSerializer(serializers.Serializer[Any]):
    """All settings of a process, by name."""

    environment = serializers.CharField()
    version = serializers.CharField()
    settings = serializers.DictField(child=EffectiveSettingSerializer())


class ConfigurationView(ApiView):
    """The settings of a web process or an orchestrator."""

    required_permissions: ClassVar = {"GET": Permission.SYSTEM_CONFIG_READ}

    @extend_schema(
        operation_id="get_configuration",
        tags=["system"],
        summary="Look at the settings in force",
        description="404 unless `CONFIG_ENDPOINT_ENABLED` is on. Secrets are `***`.",
        responses=ConfigurationSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return every setting with its value and its source."""
        for name in request.query_params:
            raise InvalidRequestError(f"Unknown query parameter {name!r}; this call has none")
        if not observability_settings().config_endpoint_enabled:
            raise NotFoundError(f"There is nothing at {request.path}")
        return Response(configuration_body())


def configuration_body() -> dict[str, Any]:
    """Return the settings of this process as `/config` answers them."""
    return {
        "environment": registry_settings().environment,
        "version": tasker_version(),
        "settings": {name: each._asdict() for name, each in effective_settings().items()},
    }
