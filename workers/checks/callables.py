"""Whether a worker of this project could find the handlers that the files of templates name.

Advice only: a template may be of another deployment, or its handlers in a module that is given on
the command line of its worker. A worker itself refuses what it is asked to serve and cannot.
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's name

from workers.checks.schemas import templates_of_files
from workers.registry import HandlerRegistry
from workers.registry.unresolved import unresolved_steps


def check_callables(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Report callables that do not resolve (W005)."""
    try:
        registry = HandlerRegistry.instance()
    except Exception:  # noqa: BLE001 - check_handlers says what is wrong with the handlers
        return []
    return [
        Warning(
            f"{template}, step '{each.step.name}': {each.error}",
            hint="Write the handler, or name the one that there is.",
            id="tasker.W005",
        )
        for template in templates_of_files()
        for each in unresolved_steps(template, registry)
    ]
