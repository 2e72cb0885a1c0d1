"""Django app of `orchestration`: what happens to a task.

Only the system checks of the settings are registered when the app gets ready; nothing is queried,
so that `migrate` and `--help` never depend on a database.
"""

from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, register


class OrchestrationConfig(AppConfig):
    """Name and key type of the app, and its checks."""

    name = "orchestration"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        register(_check_settings)


def _check_settings(**options: Any) -> list[CheckMessage]:
    from orchestration.checks import check_settings  # imported on use: --help stays quick

    return check_settings(**options)
