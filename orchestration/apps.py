"""Django app of `orchestration`: what happens to a task.

Only the system checks of the settings are registered when the app gets ready; nothing is queried,
so that `migrate` and `--help` never depend on a database.
"""

from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, register
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string


class OrchestrationConfig(AppConfig):
    """Name and key type of the app, and its checks."""

    name = "orchestration"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, and what is done after each migration."""
        register(_check_settings)
        register(_check_access)
        post_migrate.connect(_compare_pgmq, sender=self)
        post_migrate.connect(_ensure_permissions, sender=self)


def _check_settings(**options: Any) -> list[CheckMessage]:
    from orchestration.checks import check_settings  # imported on use: --help stays quick

    return check_settings(**options)


# The rest is named as text: an app's configuration stands below the floors that do the work.


def _check_access(**options: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = import_string("orchestration.access.checks.check_access")(**options)
    return found


def _ensure_permissions(**options: Any) -> None:
    import_string("orchestration.access.groups.ensure_permissions_and_groups")(**options)


def _compare_pgmq(**_: Any) -> None:
    import_string("orchestration.messaging.pgmq.warn_of_other_version")()
