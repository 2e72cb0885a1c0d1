"""Where templates are: the files and folders that are synchronised when none is named.

All of these count: the setting template_paths, the folder `task_templates` of every installed app,
`config/tasks` below WORKSPACE_PATH and below the project, and the shipped examples where they are
wanted.
"""

import os
from pathlib import Path

from django.apps import apps
from django.conf import settings

from templates_registry.conf import registry_settings
from templates_registry.schema.files import template_files

__all__ = ["EXAMPLES", "template_files", "template_sources"]

EXAMPLES = Path(__file__).resolve().parent.parent / "templates" / "examples"


def template_sources() -> list[Path]:
    """Return the files and folders to search; configured ones even when they are missing."""
    configured = registry_settings().template_paths
    listed = [Path(part) for each in configured for part in each.split(os.pathsep) if part]
    folders = [Path(app.path) / "task_templates" for app in apps.get_app_configs()]
    # WORKSPACE_PATH belongs to the published package and is no setting of ours.
    roots = [os.environ.get("WORKSPACE_PATH"), getattr(settings, "BASE_DIR", None)]
    folders += [Path(root) / "config" / "tasks" for root in roots if root]
    if registry_settings().load_examples:
        folders.append(EXAMPLES)
    return [*listed, *(folder for folder in folders if folder.is_dir())]
