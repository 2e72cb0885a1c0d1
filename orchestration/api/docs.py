"""The OpenAPI document and its browser page, below /api-docs/; both work without internet.

Who reads them is the setting API_DOCS: everybody, whoever is known, or nobody, as if they were not
there.
"""

from typing import Any, ClassVar

from django.urls import path
from drf_spectacular.views import (
    SpectacularJSONAPIView,
    SpectacularSwaggerView,
    SpectacularYAMLAPIView,
)
from rest_framework.request import Request
from rest_framework.views import APIView

from orchestration.access.guard import HoldsPermission, RequiredPermissions
from orchestration.api.query import read_query
from orchestration.conf import access_settings
from orchestration.errors import NotFoundError


class MayReadDocuments(HoldsPermission):
    """Lets in whom API_DOCS lets in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the call may go on."""
        readers = access_settings().api_docs
        if readers == "off":
            raise NotFoundError(f"There is nothing at {request.path}")
        return readers == "public" or super().has_permission(request, view)


class Document(APIView):
    """What the three have in common."""

    required_permissions: ClassVar[RequiredPermissions] = {"GET": None}
    permission_classes = [MayReadDocuments]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse parameters like every other call."""
        super().initial(request, *args, **kwargs)
        read_query(request, ())

    def perform_authentication(self, request: Request) -> None:
        """Ask for a credential only where one is needed: a bad one harms no public page."""


class JsonDocument(Document, SpectacularJSONAPIView):
    """The document as JSON."""


class YamlDocument(Document, SpectacularYAMLAPIView):
    """The document as YAML."""


class DocumentPage(Document, SpectacularSwaggerView):
    """The document as a page on which calls can be tried."""

    url_name = "openapi-json"


urlpatterns = [
    path("openapi.json", JsonDocument.as_view(), name="openapi-json"),
    path("openapi.yaml", YamlDocument.as_view(), name="openapi-yaml"),
    path("ui", DocumentPage.as_view(), name="openapi-ui"),
]
