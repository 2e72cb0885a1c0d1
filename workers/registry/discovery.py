"""Finds handlers in modules: what is imported, and what in a module counts as a handler.

Importing a module registers nothing by itself; the scan does. Handlers of installed apps must
import, anything else that does not is logged and left out.
"""

import inspect
import logging
import os
import pkgutil
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from workers.handlers.base import StepHandler

log = logging.getLogger(__name__)

APP_MODULE = "step_handlers"
EXAMPLES = "workers.examples"
PATH_VARIABLE = "PYTHON_HANDLER_PATH"  # the published name, hence no TASKER_ setting


class Found(NamedTuple):
    """One handler in one module."""

    name: str
    handler_class: type[StepHandler]
    module: str


def scan(module: ModuleType) -> Iterator[Found]:
    """Yield every handler among a module's attributes."""
    for value in list(vars(module).values()):
        # Without isinstance and getattr: they would wake a lazy object in a handler module.
        found = inspect.getattr_static(value, "_handler_class", value)
        if (
            issubclass(type(found), type)
            and issubclass(found, StepHandler)
            and found is not StepHandler
            and found.handler_name
        ):
            yield Found(found.handler_name, found, module.__name__)


def app_modules() -> Iterator[ModuleType]:
    """Import and yield `step_handlers` of every installed app; an import error goes through."""
    for app in apps.get_app_configs():
        if app.module is not None and module_has_submodule(app.module, APP_MODULE):
            root = import_module(f"{app.name}.{APP_MODULE}")
            yield root
            for name in _submodule_names(root):
                yield import_module(name)


def package_modules(package: str, *, failures: dict[str, str]) -> Iterator[ModuleType]:
    """Import and yield a package and everything below it; what does not import is noted."""
    root = _import_or_note(package, failures=failures)
    if root is None:
        return
    yield root
    for name in _submodule_names(root):
        module = _import_or_note(name, failures=failures)
        if module is not None:
            yield module


def path_modules(*, failures: dict[str, str]) -> Iterator[ModuleType]:
    """Import and yield what lies in the folders of PYTHON_HANDLER_PATH."""
    folders = [each for each in os.environ.get(PATH_VARIABLE, "").split(os.pathsep) if each]
    for folder in folders:
        if folder not in sys.path:
            sys.path.append(folder)
        for entry in pkgutil.iter_modules([folder]):
            yield from package_modules(entry.name, failures=failures)


def _submodule_names(root: ModuleType) -> Iterator[str]:
    """Yield the names of all modules below a package, without importing leaf modules."""
    if not hasattr(root, "__path__"):
        return
    for entry in pkgutil.iter_modules(root.__path__, f"{root.__name__}."):
        if entry.name.endswith(".__main__"):
            continue
        yield entry.name
        if entry.ispkg and entry.name in sys.modules:
            yield from _submodule_names(sys.modules[entry.name])


def _import_or_note(name: str, *, failures: dict[str, str]) -> ModuleType | None:
    try:
        return import_module(name)
    except Exception as error:
        failures[name] = f"{type(error).__name__}: {error}"
        log.exception("handler.import_failed", extra={"handler_module": name})
        return None
