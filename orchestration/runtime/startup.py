"""Before the loops run: wait for the database, refuse what cannot work.

A process started without a database says so, tries again with growing pauses and goes on by itself;
a process that is configured wrongly ends at once with exit code 2.
"""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import connections

from orchestration import metrics
from orchestration.runtime import database, sessions
from orchestration.runtime.identity import ProcessIdentity
from orchestration.runtime.shutdown import Shutdown

log = logging.getLogger(__name__)
Result = TypeVar("Result")

ANSWER_MARGIN_SECONDS = 15.0
"""What an answer may take beyond the statement's own limit before its connection is given up."""
STARTUP_REFUSED = "unsupported startup parameter"
POOLER_MET = (
    "DATABASE_URL leads to a transaction pooler (it refuses startup options). Set "
    "DATABASE_DIRECT_URL to a connection straight to the server, or TASKER_MODE=PollingOnly."
)
APPLICATION_NAME_LENGTH = 63
"""PostgreSQL cuts longer names, with a notice in its log for every connection."""


class BadConfiguration(Exception):  # noqa: N818 - reads as what it is
    """The process cannot work as it was told to; the message says what to change."""


class ShutdownAsked(Exception):  # noqa: N818 - not an error
    """Somebody asked the process to stop before it had started."""


def wait_for_database(
    action: Callable[[], Result],
    *,
    shutdown: Shutdown,
    purpose: str,
) -> Result:
    """Run the action until the database lets it finish; it may run several times.

    Raises ShutdownAsked when somebody does not want to wait any longer, and BadConfiguration where
    waiting would not help; main thread only.
    """
    pause_seconds = database.FIRST_PAUSE_SECONDS
    was_lost = False
    while not shutdown.is_asked:
        try:
            database.check_reachable()  # fails at once; the pool would keep us waiting first
            result = action()
        except database.CONNECTION_ERRORS as error:
            if STARTUP_REFUSED in str(error):
                raise BadConfiguration(POOLER_MET) from error
            was_lost = True
            metrics.CONNECTION_ERRORS.add()
            log.error(
                "database.lost",
                extra={
                    "loop": purpose,
                    "error_type": type(error).__name__,
                    "error": str(error).strip(),
                    "retry_in_seconds": pause_seconds,
                },
            )
            database.discard_connections()
            _sleep(shutdown, pause_seconds)
            pause_seconds = database.next_pause(pause_seconds)
        else:
            if was_lost:
                log.warning("database.recovered", extra={"loop": purpose})
            return result
    raise ShutdownAsked


def _sleep(shutdown: Shutdown, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not shutdown.is_asked and (left := until - time.monotonic()) > 0:
        shutdown.wait(left)


def name_connections(
    identity: ProcessIdentity, *, statement_timeout_ms: int, mode: str = ""
) -> None:
    """Give the connections opened from now on the name and the time limits of this process.

    The settings carry those of the web process; call this before the first connection. In mode
    PollingOnly a transaction pooler may be in between, whatever the settings say.
    """
    connections.close_all()
    settings_dict = connections["default"].settings_dict
    options = dict(settings_dict.get("OPTIONS", {}))
    options["application_name"] = application_name(identity)
    if settings.DATABASE_IS_POOLED or mode == "PollingOnly":
        wanted = {**settings.DATABASE_SESSION, "statement_timeout": str(statement_timeout_ms)}
        options |= sessions.connection_options(wanted, is_pooled=True)
        settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True
        if options.get("options") == sessions.startup_options(settings.DATABASE_SESSION):
            del options["options"]
    else:  # of two values the later one holds
        given = options.get("options", "")
        options["options"] = f"{given} -c statement_timeout={statement_timeout_ms}".strip()
    if pool := options.get("pool"):
        options["pool"] = {
            "reconnect_timeout": sessions.RECONNECT_SECONDS,
            **pool,
            "connection_class": sessions.impatient_connection(
                statement_timeout_ms / 1000 + ANSWER_MARGIN_SECONDS
            ),
        }
    settings_dict["OPTIONS"] = options


def application_name(identity: ProcessIdentity, *, suffix: str = "") -> str:
    """Return the name under which PostgreSQL shows the connections of a process."""
    name = f"tasker:{identity.kind}:{identity.name}"
    return name[: APPLICATION_NAME_LENGTH - len(suffix)] + suffix
