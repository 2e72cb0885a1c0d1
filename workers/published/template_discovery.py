"""The published static helpers that look into template files without registering anything.

Forgiving: a file that cannot be read gives nothing. What is registered, and from where, is decided
by `templates_registry.registry`, which looks at all sources and tells what is wrong.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from templates_registry.schema.documents import UnreadableError
from templates_registry.schema.files import template_files
from templates_registry.schema.reading import read_documents

TASKS = Path("config") / "tasks"
TEST_TEMPLATES = Path("tests") / "fixtures" / "task_templates"
MARKERS = ("manage.py", "pyproject.toml", ".git")


class TemplatePath:
    """Where templates are, as the published package looked for them."""

    @staticmethod
    def find_template_config_directory() -> Path | None:
        """Return the first folder that exists, in the published order; None without one."""
        return next((folder for folder in _candidates() if folder.is_dir()), None)

    @staticmethod
    def discover_template_files(template_dir: Path) -> list[Path]:
        """Return the YAML files below a folder."""
        folder = Path(template_dir)
        return sorted(template_files([folder])) if folder.is_dir() else []


class TemplateParser:
    """What stands in one template file."""

    @staticmethod
    def extract_handler_callables(template_file: Path) -> list[str]:
        """Return the callables of all steps of a file."""
        found = (
            callable_text
            for template in _templates(template_file)
            for callable_text in _callables(template)
        )
        return list(dict.fromkeys(found))

    @staticmethod
    def extract_handlers_from_template(template_data: dict[str, Any]) -> list[str]:
        """Return the callables of all steps of one parsed template."""
        return list(dict.fromkeys(_callables(template_data)))

    @staticmethod
    def extract_template_metadata(template_file: Path) -> dict[str, Any]:
        """Return name, namespace, version, description, handlers and path; {} when unreadable."""
        return next((_metadata(each, template_file) for each in _templates(template_file)), {})


class HandlerDiscovery:
    """What stands in all template files below a folder."""

    @staticmethod
    def discover_all_handlers(template_dir: Path) -> list[str]:
        """Return the callables of all templates in order, each once."""
        files = TemplatePath.discover_template_files(template_dir)
        return sorted(
            {each for file in files for each in TemplateParser.extract_handler_callables(file)}
        )

    @staticmethod
    def discover_template_metadata(template_dir: Path) -> list[dict[str, Any]]:
        """Return the metadata of all templates."""
        files = TemplatePath.discover_template_files(template_dir)
        return [_metadata(each, file) for file in files for each in _templates(file)]

    @staticmethod
    def discover_handlers_by_namespace(template_dir: Path) -> dict[str, list[str]]:
        """Return the callables of all templates by namespace."""
        found: dict[str, set[str]] = {}
        for each in HandlerDiscovery.discover_template_metadata(template_dir):
            found.setdefault(each["namespace"], set()).update(each["handlers"])
        return {namespace: sorted(handlers) for namespace, handlers in sorted(found.items())}


def _candidates() -> Iterator[Path]:
    # Environment variables of the published package, which has no settings.
    for each in os.environ.get("TASKER_TEMPLATE_PATH", "").split(os.pathsep):
        if each:
            yield Path(each)
    here = Path.cwd()
    roots = (each for each in (here, *here.parents) if any((each / m).exists() for m in MARKERS))
    root = next(roots, here)
    workspace = os.environ.get("WORKSPACE_PATH")
    if os.environ.get("TASKER_ENV") == "test":
        yield Path(workspace or root) / TEST_TEMPLATES
    if workspace:
        yield Path(workspace) / TASKS
    yield root / TASKS
    yield here / TASKS


def _templates(file: Path) -> list[dict[str, Any]]:
    """Return the mappings with steps in a file, none when it cannot be read."""
    try:
        documents = read_documents(Path(file).read_bytes())
    except (OSError, UnreadableError):
        return []
    return [each.data for each in documents if isinstance(each.data, dict) and "steps" in each.data]


def _callables(template: dict[str, Any]) -> Iterator[str]:
    steps = template.get("steps")
    for step in steps if isinstance(steps, list) else ():
        handler = step.get("handler") if isinstance(step, dict) else None
        found = handler.get("callable") if isinstance(handler, dict) else handler
        if isinstance(found, str) and found:
            yield found


def _metadata(template: dict[str, Any], file: Path) -> dict[str, Any]:
    return {
        "name": template.get("name"),
        "namespace": template.get("namespace_name") or template.get("namespace") or "default",
        "version": template.get("version"),
        "description": template.get("description"),
        "handlers": list(dict.fromkeys(_callables(template))),
        "path": str(file),
    }
