"""Django app of `workers`: what runs a step.

Nothing is imported or queried when the app gets ready, so that `migrate` and `--help` never
depend on handlers or on a database.
"""

from django.apps import AppConfig


class WorkersConfig(AppConfig):
    """Name and key type of the app."""

    name = "workers"
    default_auto_field = "django.db.models.BigAutoField"
