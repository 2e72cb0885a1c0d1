"""Templates: what is registered, its versions, its graph; and a check of one that is not yet."""

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration.access.guard import scope_of_request
from orchestration.access.permissions import Permission
from orchestration.api.graph_answers import FORMAT, GraphView, graph_answer, graph_responses
from orchestration.api.graph_bodies import TemplateGraphSerializer, template_graph_body
from orchestration.api.parsers import body_of
from orchestration.api.query import documented, read_name, read_query, text
from orchestration.api.template_bodies import (
    ReportSerializer,
    TemplateSerializer,
    TemplatesSerializer,
    TemplateVersionSerializer,
    template_body,
    templates_body,
)
from orchestration.api.template_check import check_template
from orchestration.api.view import ApiView
from orchestration.errors import NotFoundError
from orchestration.health import fresh_seconds
from orchestration.pictures import render_template
from orchestration.queries.live_handlers import live_services
from orchestration.queries.templates import find_namespaces, find_template, find_versions
from templates_registry.schema import TaskTemplate

MAX_CHECKED_BYTES = 1024 * 1024
NAMESPACE = text("namespace", "This namespace only.")
NAME_PATH = [
    OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.PATH)
    for name in ("namespace", "name")
]
VERSION_PATH = [*NAME_PATH, OpenApiParameter("version", OpenApiTypes.STR, OpenApiParameter.PATH)]
CHECK_BODY: dict[str, Any] = {
    "type": "object",
    "required": ["template"],
    "properties": {
        "template": {
            "description": "The template as an object, or as YAML text.",
            "anyOf": [{"type": "object"}, {"type": "string"}],
        }
    },
}


class TemplatesView(ApiView):
    """All templates."""

    required_permissions: ClassVar = {"GET": Permission.TEMPLATES_READ}

    @extend_schema(
        operation_id="list_templates",
        tags=["templates"],
        summary="List the namespaces and the templates that tasks can be made from",
        description="By namespace and name, the latest version of each first.",
        parameters=documented([NAMESPACE]),
        responses=TemplatesSerializer,
    )
    def get(self, request: Request) -> Response:
        """Return every active version that the caller sees."""
        namespace = read_query(request, [NAMESPACE])["namespace"]
        scope = scope_of_request(request)
        lines = find_versions(scope, namespace=namespace)
        active = [each for each in lines if each.retired_at is None]
        return Response(templates_body(find_namespaces(scope, namespace=namespace), active))


class TemplateVersionsView(ApiView):
    """All versions of one template."""

    required_permissions: ClassVar = {"GET": Permission.TEMPLATES_READ}

    @extend_schema(
        operation_id="list_template_versions",
        tags=["templates"],
        summary="List the versions of a template, newest first",
        parameters=NAME_PATH,
        responses=TemplateVersionSerializer(many=True),
    )
    def get(self, request: Request, namespace: str, name: str) -> Response:
        """Return the versions, retired ones too."""
        read_query(request, ())
        lines = find_versions(
            scope_of_request(request),
            namespace=read_name(namespace, "namespace"),
            name=read_name(name, "name"),
        )
        if not lines:
            raise NotFoundError(f"There is no template '{namespace}/{name}'; see /v1/templates")
        return Response(TemplateVersionSerializer(lines, many=True).data)


class TemplateView(ApiView):
    """One version of a template."""

    required_permissions: ClassVar = {"GET": Permission.TEMPLATES_READ}

    @extend_schema(
        operation_id="get_template",
        tags=["templates"],
        summary="Look at a template",
        parameters=VERSION_PATH,
        responses=TemplateSerializer,
    )
    def get(self, request: Request, **path: str) -> Response:
        """Return the content as new tasks of this environment get it."""
        read_query(request, ())
        return Response(template_body(_template(request, **path)))


class TemplateGraphView(GraphView):
    """The graph of one version of a template."""

    required_permissions: ClassVar = {"GET": Permission.TEMPLATES_READ}

    @extend_schema(
        operation_id="get_template_graph",
        tags=["templates"],
        summary="Draw a template: its steps and what they wait for",
        parameters=[*VERSION_PATH, *documented([FORMAT])],
        responses=graph_responses(TemplateGraphSerializer),
    )
    def get(self, request: Request, **path: str) -> HttpResponse:
        """Return nodes and edges, or the text that Mermaid draws."""
        form = read_query(request, [FORMAT])["format"]
        template = _template(request, **path)
        if form == "json":
            return Response(template_graph_body(template))
        return graph_answer(render_template(template, output_format="mermaid"))


class TemplateCheckView(ApiView):
    """A check of a template that need not be registered."""

    required_permissions: ClassVar = {"POST": Permission.TEMPLATES_VALIDATE}

    @extend_schema(
        operation_id="validate_template",
        tags=["templates"],
        summary="Check a template",
        description=f"At most {MAX_CHECKED_BYTES:,} bytes. Nothing is registered, and nothing that "
        "the template names is loaded; handlers are looked for among those of live workers.",
        request={"application/json": CHECK_BODY},
        responses={200: ReportSerializer},
    )
    def post(self, request: Request) -> Response:
        """Return everything that was noticed."""
        read_query(request, ())
        given = body_of(request).get("template")
        report = check_template(given, live_services(within_seconds=fresh_seconds()))
        return Response(ReportSerializer(report.as_dict()).data)

    def body_limit(self) -> int:
        """Allow less than elsewhere: a template is small."""
        return min(MAX_CHECKED_BYTES, super().body_limit())


def _template(request: Request, *, namespace: str, name: str, version: str) -> TaskTemplate:
    """Return the content of a version; raise `NotFoundError` for one that the caller sees not."""
    found = find_template(
        read_name(namespace, "namespace"),
        read_name(name, "name"),
        read_name(version, "version"),
        scope_of_request(request),
    )
    if found is None:
        wanted = f"{namespace}/{name}@{version}"
        raise NotFoundError(f"There is no template '{wanted}'; see /v1/templates")
    return found
