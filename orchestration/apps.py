"""Django app of `orchestration`: what happens to a task.

Nothing is imported or queried when the app gets ready, so that `migrate` and `--help` never
depend on handlers or on a database.
"""

from django.apps import AppConfig


class OrchestrationConfig(AppConfig):
    """Name and key type of the app."""

    name = "orchestration"
    default_auto_field = "django.db.models.BigAutoField"
