"""Django app of `workers`: what runs a step.

No handler is imported and nothing is queried when the app gets ready, so that `migrate` and
`--help` never depend on handlers or on a database.
"""

import logging

from django.apps import AppConfig
from django.core.checks import register

from orchestration.checks import ADVICE

log = logging.getLogger(__name__)


class WorkersConfig(AppConfig):
    """Name and key type of the app; its system checks, and the published module names."""

    name = "workers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks; let `import tasker_core` mean us where that is wanted."""
        from workers.checks import check_callables, check_handlers, check_schemas

        register(check_handlers, "workers")
        register(check_schemas, "workers", ADVICE)
        register(check_callables, "workers", ADVICE)
        self._install_published_names()

    @staticmethod
    def _install_published_names() -> None:
        from workers import compat
        from workers.conf import worker_settings

        wish = worker_settings().compat_tasker_core
        if wish == "never":
            return
        try:
            compat.install(force=wish == "always")
        except compat.CompatConflictError:
            log.debug("compat.skipped", extra={"because": "a package tasker_core is installed"})
