"""How a log line looks: one JSON object, or one readable line on a terminal.

The event is the message, everything else a field given by `extra={…}`; no sentence carries a value.
The four keys that lead every JSON line are always there. Which task or step a thread works on is
kept by `orchestration.runtime.log_context`, so that the lines of handlers carry the ids too.
"""

import json
import logging
import sys
import traceback
from contextlib import nullcontext
from functools import lru_cache
from time import gmtime, strftime
from typing import Any, TextIO

from pydantic_core import to_json

from orchestration.runtime.log_context import FrequentRecord, are_lines_held, current_fields

LEADING = ("correlation_id", "task_uuid", "step_uuid", "namespace")
PROCESS = ("process_kind", "process", "request_id", "trace_id")
FIRST = dict.fromkeys((*LEADING, "event", "level", "timestamp", "logger", *PROCESS))
"""What every JSON line has, in this order."""
TRAILING = ("duration_ms", "count", "error_type", "error", "traceback")
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
OF_DJANGO = frozenset({"request", "server_time", "status_code"})  # objects of Django's own loggers
UNWANTED = STANDARD | OF_DJANGO
COLOURS = {"DEBUG": "2", "INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "31"}


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a line says beside its event; an event's own field wins over the context."""
    if isinstance(record, FrequentRecord):
        return {**current_fields(), **record.fields}
    own = {key: value for key, value in vars(record).items() if key not in UNWANTED}
    found = {**current_fields(), **own}
    if record.exc_info and record.exc_info[0] is not None:
        found["error_type"] = record.exc_info[0].__name__
        found["error"] = str(record.exc_info[1])
        found["traceback"] = "".join(traceback.format_exception(*record.exc_info))
    return found


def time_of(record: logging.LogRecord) -> str:
    """Return the moment of a record in UTC, to the millisecond."""
    seconds, fraction = divmod(record.created, 1)
    return f"{_second(seconds)}.{int(fraction * 1000):03d}Z"


@lru_cache(maxsize=8)
def _second(seconds: float) -> str:
    """Return a full second as text; it is that of many lines."""
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))


class JsonFormatter(logging.Formatter):
    """Writes one JSON object per line, keys always in the same order."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record."""
        line = {
            **FIRST,
            "event": record.getMessage(),
            "level": record.levelname,
            "timestamp": time_of(record),
            "logger": record.name,
            **fields_of(record),
        }
        line |= {key: line.pop(key) for key in TRAILING if key in line}
        return _as_json(line)


def _as_json(line: dict[str, Any]) -> str:
    try:
        return to_json(line, fallback=str, inf_nan_mode="null").decode()
    except ValueError:  # half a surrogate pair, which UTF-8 has no bytes for
        return json.dumps(line, default=str)


class ConsoleFormatter(logging.Formatter):
    """Writes one readable line; coloured when it goes to a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record, the traceback of an error below it."""
        given = {key: value for key, value in fields_of(record).items() if value is not None}
        trace = given.pop("traceback", "")
        said = " ".join(f"{key}={value}" for key, value in given.items() if key not in PROCESS)
        level = f"{record.levelname:<7}"
        if sys.stderr.isatty():
            level = f"\033[{COLOURS.get(record.levelname, '0')}m{level}\033[0m"
        line = f"{time_of(record)[11:23]} {level} {record.getMessage()} {said}".rstrip()
        return f"{line}\n{trace}".rstrip()


class LinesHandler(logging.StreamHandler[TextIO]):
    """Writes lines; those of a block of `lines_together` at its end, by one call."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take one line, and write it if nothing holds it back."""
        try:
            self._lines.append(self.format(record) + self.terminator)
            if not are_lines_held():
                self.flush()
        except Exception:  # noqa: BLE001 - as every handler: a line is no reason to fail
            self.handleError(record)

    def flush(self) -> None:
        """Write what was taken, of every thread."""
        with self.lock or nullcontext():
            text, self._lines = "".join(self._lines), []
            if text:
                self.stream.write(text)
            super().flush()


def logging_settings(*, level: str, form: str) -> dict[str, Any]:
    """Return Django's LOGGING: ours from `level` on, everything else from WARNING on.

    `tasker` holds the logger of handlers that use the published functions (`log_info`).
    """
    formatter = JsonFormatter if form == "json" else ConsoleFormatter
    stream = "ext://sys.stdout" if form == "json" else "ext://sys.stderr"
    packages = ("tasker_project", "templates_registry", "orchestration", "workers", "tasker")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": formatter}},
        "handlers": {"lines": {"()": LinesHandler, "formatter": "lines", "stream": stream}},
        "root": {"level": "WARNING", "handlers": ["lines"]},
        "loggers": {name: {"level": level} for name in packages} | {"django": {"level": "WARNING"}},
    }
