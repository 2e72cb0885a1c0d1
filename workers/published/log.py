"""The published `log_*` functions: one structured line each, through Python's logging.

Where it goes and from which level on is Django's `LOGGING`, logger `tasker.handlers`.
"""

import logging
from collections.abc import Mapping
from typing import Any

from workers.published.models import LogContext

Fields = Mapping[str, Any] | LogContext | None
TRACE = 5
logging.addLevelName(TRACE, "TRACE")
log = logging.getLogger("tasker.handlers")
RESERVED = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def log_error(message: str, fields: Fields = None) -> None:
    """Log what somebody must look at."""
    _log(logging.ERROR, message, fields)


def log_warn(message: str, fields: Fields = None) -> None:
    """Log what went wrong and was mended."""
    _log(logging.WARNING, message, fields)


def log_info(message: str, fields: Fields = None) -> None:
    """Log what happened."""
    _log(logging.INFO, message, fields)


def log_debug(message: str, fields: Fields = None) -> None:
    """Log what helps to find a fault."""
    _log(logging.DEBUG, message, fields)


def log_trace(message: str, fields: Fields = None) -> None:
    """Log every detail."""
    _log(TRACE, message, fields)


def _log(level: int, message: str, fields: Fields) -> None:
    given = fields.model_dump(exclude_none=True) if isinstance(fields, LogContext) else fields or {}
    # A field may not hide an attribute of the record, such as its name or its message.
    extra = {f"{key}_" if key in RESERVED else key: str(value) for key, value in given.items()}
    log.log(level, message, extra=extra, stacklevel=3)
