"""Django app of `workers`: what runs a step.

No handler is imported and nothing is queried when the app gets ready, so that `migrate` and
`--help` never depend on handlers or on a database.
"""

from django.apps import AppConfig
from django.core.checks import register


class WorkersConfig(AppConfig):
    """Name and key type of the app; registers its system checks."""

    name = "workers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from workers.checks import check_handlers, check_schemas

        register(check_handlers, "workers")
        register(check_schemas, "workers")
