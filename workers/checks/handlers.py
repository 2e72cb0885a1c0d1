"""System checks of handlers.

They import the handlers, as a worker would; a module that does not import is a warning here,
because it must stop the worker only and not `migrate` or the web process.
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name

from workers.registry import HandlerRegistry


def check_handlers(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Report handlers that share a name (E101) and modules that do not import (W102)."""
    try:
        registry = HandlerRegistry.instance()
    except Exception as error:  # noqa: BLE001 - a foreign module may raise anything
        return [
            Warning(
                f"Handlers of the installed apps cannot be imported: "
                f"{type(error).__name__}: {error}",
                hint="Workers will not start; import the app's step_handlers to see where.",
                id="workers.W102",
            )
        ]
    found: list[CheckMessage] = [
        Error(
            f"Two handlers are named '{each.name}': {each.first} and {each.second}.",
            hint="Rename one of them, and the callable in the templates that mean it.",
            id="workers.E101",
        )
        for each in registry.conflicts
    ]
    found += [
        Warning(
            f"Handler module '{module}' cannot be imported: {why}",
            hint="Repair it or take it out of handler_packages.",
            id="workers.W102",
        )
        for module, why in registry.import_failures.items()
    ]
    return found
