"""The OpenAPI document and its browser page, below /api-docs/; both work without internet.

Who reads them is the setting API_DOCS: everybody, whoever is known, or nobody, as if they were not
there. The document is made once and kept: it takes half a second, and says the same until the
settings that it tells about change.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orchestration.access.guard import HoldsPermission, RequiredPermissions
from orchestration.api.query import read_query
from orchestration.conf import EngineSettings, access_settings, engine_settings
from orchestration.errors import NotFoundError

RENDERERS: Mapping[str, Any] = {"json": OpenApiJsonRenderer, "yaml": OpenApiYamlRenderer}


class MayReadDocuments(HoldsPermission):
    """Lets in whom API_DOCS lets in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the call may go on."""
        readers = access_settings().api_docs
        if readers == "off":
            raise NotFoundError(f"There is nothing at {request.path}")
        return readers == "public" or super().has_permission(request, view)


class DocumentView(APIView):
    """What the three have in common."""

    required_permissions: ClassVar[RequiredPermissions] = {"GET": None}
    permission_classes = [MayReadDocuments]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse parameters like every other call."""
        super().initial(request, *args, **kwargs)
        read_query(request, ())

    def perform_authentication(self, request: Request) -> None:
        """Ask for a credential only where one is needed: a bad one harms no public page."""
        if access_settings().api_docs == "authenticated":
            super().perform_authentication(request)
        else:
            _forget_caller(request)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an error without asking once more who calls, as a page would."""
        _forget_caller(self.request)
        return super().handle_exception(exc)


class JsonDocument(DocumentView):
    """The document as JSON."""

    form: ClassVar[str] = "json"

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Return the document, whatever the caller would rather have."""
        text = _document(self.form, access_settings().api_key_header, engine_settings())
        return HttpResponse(text, content_type=RENDERERS[self.form].media_type)

    def perform_content_negotiation(self, request: Any, force: bool = False) -> Any:
        """Never answer 406: there is one form."""
        return super().perform_content_negotiation(request, force=True)


class YamlDocument(JsonDocument):
    """The document as YAML."""

    form = "yaml"


class DocumentPage(DocumentView, SpectacularSwaggerView):
    """The document as a page on which calls can be tried."""

    url_name = "openapi-json"


def _forget_caller(request: Any) -> None:
    request.user = None


@lru_cache(maxsize=4)
def _document(form: str, api_key_header: str, settings: EngineSettings) -> bytes:
    """Return the document; the arguments are what it depends on."""
    schema = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    text: bytes = RENDERERS[form]().render(schema)
    return text


urlpatterns = [
    path("openapi.json", JsonDocument.as_view(), name="openapi-json"),
    path("openapi.yaml", YamlDocument.as_view(), name="openapi-yaml"),
    path("ui", DocumentPage.as_view(), name="openapi-ui"),
]
