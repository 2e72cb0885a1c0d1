"""Django apps of the project itself: its commands, one log line on the database, its admin."""

import logging
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks
from django.db.backends.signals import connection_created

log = logging.getLogger(__name__)


class ProjectConfig(AppConfig):
    """Name of the app, and what happens once when it is ready."""

    name = "tasker_project"

    def ready(self) -> None:
        """Say on the first connection of the process which server it goes to."""
        connection_created.connect(_say_which_server, dispatch_uid="tasker.which_server")


class LateAdminConfig(SimpleAdminConfig):
    """The admin, whose pages are imported by what shows or checks them (`urls` and the checks).

    Orchestrators and workers show no page; without its modules `django.setup()` costs them a third
    less.
    """

    def ready(self) -> None:
        """Register the admin's own checks, on all of its pages."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_all_pages, checks.Tags.admin)


def check_all_pages(app_configs: Any, **rest: Any) -> list[checks.CheckMessage]:
    """Run Django's checks of the registered pages, whoever has imported them."""
    autodiscover()
    return check_admin_app(app_configs, **rest)


def _say_which_server(connection: Any, **rest: Any) -> None:
    connection_created.disconnect(dispatch_uid="tasker.which_server")
    kind = "embedded" if connection.settings_dict["ENGINE"].endswith("embedded") else "given"
    where = (
        settings.EMBEDDED_SERVER.home if kind == "embedded" else connection.settings_dict["HOST"]
    )
    log.info("database.used", extra={"server": kind, "where": str(where)})
