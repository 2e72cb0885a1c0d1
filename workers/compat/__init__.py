"""Lets handler modules written for the published package `tasker-py` run without an edit.

`install()` puts modules called `tasker_core…` into `sys.modules`. They hold nothing but a table of
names as text; a name is imported from ours on its first use, so that `tasker_core.StepHandler is
workers.StepHandler`, and neither Django's settings nor a database are needed.

Not here: what the names do. What only the published package has is in `workers.published`.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from workers.compat.names import published_modules

COMPAT_VERSION = "0.1.8"
ROOT = "tasker_core"


class CompatConflictError(ImportError):
    """The real package is installed here, and it is not clear which of the two is meant."""


class PublishedModule(ModuleType):
    """A module of the published package, whose names are ours."""

    def __init__(self, name: str, sources: Mapping[str, str]) -> None:
        """Take the names, each with the module of ours that has it."""
        super().__init__(name, f"Names of {name}, implemented by Tasker; see workers.compat.")
        self.__spec__ = ModuleSpec(name, None, origin="workers.compat", is_package=True)
        self.__path__: list[str] = []  # a package without files: `import x.unknown` says not found
        self.__package__ = name
        self.__all__ = list(sources)
        self._sources = dict(sources)

    def __getattr__(self, name: str) -> Any:
        """Import what a name stands for, once."""
        if name not in self.__dict__.get("_sources", {}):
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        value = getattr(import_module(self._sources[name]), name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        """List the names that are not imported yet, too."""
        return sorted({*super().__dir__(), *self.__all__})


def install(*, force: bool = False) -> bool:
    """Make `import tasker_core` mean our modules; True when it does.

    Raises CompatConflictError when the real package is imported or could be; with `force` ours
    take its place.
    """
    if is_installed():
        return True
    if not force and _is_real_package_here():
        raise CompatConflictError(
            f"A package {ROOT} is installed here, so `import {ROOT}` would change its meaning. "
            "Uninstall tasker-py, or set compat_tasker_core to 'always' to prefer Tasker's own "
            "names, or to 'never' to prefer the package."
        )
    _remove_modules()
    for path, sources in published_modules():
        name = f"{ROOT}.{path}" if path else ROOT
        module = sys.modules[name] = PublishedModule(name, sources)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
    return True


def uninstall() -> None:
    """Remove what `install` added."""
    if is_installed():
        _remove_modules()


def is_installed() -> bool:
    """Say whether `import tasker_core` means our modules."""
    return isinstance(sys.modules.get(ROOT), PublishedModule)


def _is_real_package_here() -> bool:
    return ROOT in sys.modules or find_spec(ROOT) is not None


def _remove_modules() -> None:
    for name in [each for each in sys.modules if each == ROOT or each.startswith(f"{ROOT}.")]:
        del sys.modules[name]
