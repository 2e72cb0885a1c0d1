"""Imports of generated code: in the sections and the order in which ruff wants them.

Which section a module belongs to depends on where the file will stand, as it does for ruff: what
lies below the project of that file is first-party, anything else that is not Python's is not.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from workers.codegen.layout import Group, show

_PROJECT_FILES = ("pyproject.toml", "ruff.toml", ".ruff.toml")
_SOURCES = (".", "src")  # where ruff looks for a project's own modules


class Import(NamedTuple):
    """`from module import name`, or `import module` when there is no name."""

    module: str
    name: str = ""


# What was published in another module than the package itself.
_STEP_HANDLER = (
    "step_handler",
    "decision_handler",
    "batch_analyzer",
    "batch_worker",
    "depends_on",
    "inputs",
    "Decision",
    "BatchConfig",
)
# What generated handlers import from the package of handlers.
NAMES = frozenset(
    [
        *_STEP_HANDLER,
        "BatchWorkerContext",
        "DecisionHandler",
        "StepContext",
        "StepHandler",
        "StepHandlerResult",
    ]
)
WORKERS = "workers"
PUBLISHED = "tasker_core"

Sections = Callable[[str], int]  # top-level module → number of its section


def import_of(name: str, source: str) -> Import:
    """Return the import of a name of ours, from `workers` or from where it was published."""
    if source == PUBLISHED and name in _STEP_HANDLER:
        return Import(f"{source}.step_handler", name)
    return Import(source, name)


def sections_of(folder: Path, *, planned: Iterable[Path] = ()) -> Sections:
    """Return what tells the section of a module for files in a folder.

    `planned` are modules and packages that will be there as well.
    """
    root = _project_of(folder)
    new = {each.resolve().with_suffix("") for each in planned}

    def section(module: str) -> int:
        if module in sys.stdlib_module_names:
            return 0
        places = [(root / source / module).resolve() for source in _SOURCES]
        return 2 if any(each in new or _is_module(each) for each in places) else 1

    return section


def import_lines(imports: Iterable[Import], section: Sections) -> list[str]:
    """Return the import statements, an empty line between two sections."""
    by_section: dict[int, list[Import]] = {}
    for each in sorted(set(imports), key=lambda each: (each.module.lower(), each)):
        by_section.setdefault(section(each.module.partition(".")[0]), []).append(each)
    blocks = [list(_statements(each)) for _, each in sorted(by_section.items())]
    return [line for block in blocks for line in ["", *block]][1:]


def _statements(imports: list[Import]) -> Iterator[str]:
    for each in imports:
        if not each.name:
            yield f"import {each.module}"
    for module in dict.fromkeys(each.module for each in imports if each.name):
        yield from_statement(module, [each.name for each in imports if each.module == module])


def from_statement(module: str, names: Iterable[str]) -> str:
    """Return one import of names of a module, on one line or one name each."""
    ordered = sorted(set(names), key=lambda name: (_kind(name), name.lower(), name))
    one_line = Group(f"from {module} import ", ordered, "")
    text = show(one_line)
    return text if "\n" not in text else show(Group(f"from {module} import (", ordered, ")"))


def _kind(name: str) -> int:
    """Return the place that isort gives constants, classes and the rest."""
    if name.isupper() and len(name) > 1:
        return 0
    return 1 if name[:1].isupper() else 2


def _project_of(folder: Path) -> Path:
    folder = folder.resolve()
    for each in (folder, *folder.parents):
        if any((each / name).is_file() for name in _PROJECT_FILES):
            return each
    return Path.cwd()


def _is_module(path: Path) -> bool:
    return path.is_dir() or path.with_suffix(".py").is_file()
