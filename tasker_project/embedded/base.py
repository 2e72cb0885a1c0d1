"""Django's PostgreSQL backend, whose first connection starts the embedded server.

Named `base` because Django demands it. The settings hand over the server as `EMBEDDED_SERVER`.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.db.backends.postgresql import base

from orchestration.conf import engine_settings
from tasker_project.embedded.binaries import EmbeddedError


class DatabaseWrapper(base.DatabaseWrapper):
    """The connection of a thread; every new one makes sure that the server runs."""

    def get_connection_params(self) -> dict[str, Any]:
        """Start the server if needed, then say how to reach it; the listener asks here too."""
        if not settings.DEBUG and not engine_settings().allow_embedded:
            raise ImproperlyConfigured(
                "DATABASE_URL is not set and DEBUG is off: the embedded PostgreSQL serves "
                "development and demos. Set DATABASE_URL, or TASKER_ALLOW_EMBEDDED=1."
            )
        try:
            settings.EMBEDDED_SERVER.ensure()
        except EmbeddedError as error:
            raise OperationalError(str(error)) from error
        return super().get_connection_params()
