"""The views of a worker's status server; a view checks who asks, and calls a plain function."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from orchestration.access.guard import scope_of_request
from orchestration.access.permissions import Permission
from orchestration.errors import InvalidRequestError
from orchestration.http.configuration import ConfigurationView
from orchestration.http.view import ApiView
from workers.api.templates import template, templates
from workers.worker.worker import running_worker


class WorkerConfigurationView(ConfigurationView):
    """The settings of a worker."""

    required_permissions: ClassVar = {"GET": Permission.WORKER_CONFIG_READ}


@extend_schema(exclude=True)
class TemplatesView(ApiView):
    """All templates that this worker serves."""

    required_permissions: ClassVar = {"GET": Permission.WORKER_TEMPLATES_READ}

    def get(self, request: Request) -> Response:
        """Return the templates of the namespaces that are served and seen."""
        _refuse_parameters(request)
        return Response(templates(_namespaces(), scope_of_request(request)))


@extend_schema(exclude=True)
class TemplateView(ApiView):
    """One template that this worker serves."""

    required_permissions: ClassVar = {"GET": Permission.WORKER_TEMPLATES_READ}

    def get(self, request: Request, namespace: str, name: str, version: str) -> Response:
        """Return a template with the state of its handlers in this process."""
        _refuse_parameters(request)
        found = template(
            _namespaces(),
            scope_of_request(request),
            namespace=namespace,
            name=name,
            version=version,
        )
        return Response(found)


def _namespaces() -> list[str]:
    worker = running_worker()
    return worker.namespaces if worker else []


def _refuse_parameters(request: Request) -> None:
    if request.query_params:
        raise InvalidRequestError("This call has no parameters")
