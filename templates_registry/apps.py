"""Django app of `templates_registry`: what a workflow is.

Nothing is imported or queried when the app gets ready, so that `migrate` and `--help` never
depend on handlers or on a database.
"""

from django.apps import AppConfig


class TemplatesRegistryConfig(AppConfig):
    """Name and key type of the app."""

    name = "templates_registry"
    default_auto_field = "django.db.models.BigAutoField"
