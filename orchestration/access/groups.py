"""Permissions and groups of Tasker in Django's own tables, made after each migration.

Groups are made when they are absent and never changed again: what they allow belongs to whoever
runs the system. Nothing is done before the tables of Django's `auth` are there.
"""

from typing import Any

from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS

from orchestration.access.permissions import ROLES, Permission

GROUP_PREFIX = "tasker-"


def ensure_permissions_and_groups(
    *, using: str = DEFAULT_DB_ALIAS, apps: Apps = installed_apps, **rest: Any
) -> None:
    """Make what is missing; the receiver of `post_migrate`, which hands in the apps as they are."""
    try:
        apps.get_model("orchestration", "Access")
        kinds = apps.get_model("contenttypes", "ContentType")._default_manager.using(using)
        permissions = apps.get_model("auth", "Permission")._default_manager.using(using)
        groups = apps.get_model("auth", "Group")._default_manager.using(using)
    except LookupError:
        return
    kind, _ = kinds.get_or_create(app_label="orchestration", model="access")
    made = [
        permissions.model(content_type=kind, codename=each.codename, name=f"Can use {each.value}")
        for each in Permission
    ]
    permissions.bulk_create(made, ignore_conflicts=True)
    of_codename = {each.codename: each for each in permissions.filter(content_type=kind)}
    for role, allowed in ROLES.items():
        group, is_new = groups.get_or_create(name=f"{GROUP_PREFIX}{role}")
        if is_new:
            group.permissions.set([of_codename[each.codename] for each in allowed])
