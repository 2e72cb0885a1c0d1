"""The names of the namespaces that a person sees, kept for some seconds by each web process."""

from django.http import HttpRequest

from orchestration.admin.visibility import sees
from orchestration.health.engine import Kept
from templates_registry.models import TaskNamespace


def _all_names() -> list[str]:
    return list(TaskNamespace.objects.order_by("name").values_list("name", flat=True))


_kept: Kept[list[str]] = Kept(_all_names)


def namespace_names(request: HttpRequest) -> list[str]:
    """Return the names to choose from, in order."""
    return [name for name in _kept() if sees(request, name)]
