"""Django app of the project itself: its commands, and one log line on the database in use."""

import logging
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created

log = logging.getLogger(__name__)


class ProjectConfig(AppConfig):
    """Name of the app, and what happens once when it is ready."""

    name = "tasker_project"

    def ready(self) -> None:
        """Say on the first connection of the process which server it goes to."""
        connection_created.connect(_say_which_server, dispatch_uid="tasker.which_server")


def _say_which_server(connection: Any, **rest: Any) -> None:
    connection_created.disconnect(dispatch_uid="tasker.which_server")
    kind = "embedded" if connection.settings_dict["ENGINE"].endswith("embedded") else "given"
    where = (
        settings.EMBEDDED_SERVER.home if kind == "embedded" else connection.settings_dict["HOST"]
    )
    log.info("database.used", extra={"server": kind, "where": str(where)})
