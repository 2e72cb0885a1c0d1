"""Which template a task is of, for counting: asked once for each template and then remembered.

A registered template never changes its name, so nothing has to be forgotten.
"""

from typing import NamedTuple
from uuid import UUID

from templates_registry.models import NamedTask

_known: dict[UUID, "TemplateName"] = {}


class TemplateName(NamedTuple):
    """Namespace and name of a template, without its version."""

    namespace: str
    task: str


def template_name(named_task_uuid: UUID) -> TemplateName:
    """Return the name of a template; one query for the first task of it in this process."""
    found = _known.get(named_task_uuid)
    if found is None:
        row = NamedTask.objects.values_list("task_namespace__name", "name").get(pk=named_task_uuid)
        found = _known[named_task_uuid] = TemplateName(*row)
    return found
