"""The OpenAPI document and its browser page, below /api-docs/; both work without internet.

In production they need a credential, like everything else of the API.
"""

from typing import ClassVar

from django.urls import path
from drf_spectacular.views import (
    SpectacularJSONAPIView,
    SpectacularSwaggerView,
    SpectacularYAMLAPIView,
)

from orchestration.access.permissions import Permission

ANY_PRINCIPAL: dict[str, Permission | None] = {"GET": None}


class JsonDocument(SpectacularJSONAPIView):
    """The document as JSON."""

    required_permissions: ClassVar = ANY_PRINCIPAL


class YamlDocument(SpectacularYAMLAPIView):
    """The document as YAML."""

    required_permissions: ClassVar = ANY_PRINCIPAL


class DocumentPage(SpectacularSwaggerView):
    """The document as a page on which calls can be tried."""

    required_permissions: ClassVar = ANY_PRINCIPAL
    url_name = "openapi-json"


urlpatterns = [
    path("openapi.json", JsonDocument.as_view(), name="openapi-json"),
    path("openapi.yaml", YamlDocument.as_view(), name="openapi-yaml"),
    path("ui", DocumentPage.as_view(), name="openapi-ui"),
]
