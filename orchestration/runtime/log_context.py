"""What every log line of the current thread says beside its event: task, step, request, process.

Set where a unit of work begins, read by the formatter of the project. Context variables follow
async handlers too, so the lines of a user's handler carry the ids without any help of theirs.
"""

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from typing import Any

_fields: ContextVar[Mapping[str, Any]] = ContextVar("tasker_log_fields", default={})  # noqa: B039
_process: dict[str, Any] = {}
_are_held: ContextVar[bool] = ContextVar("tasker_lines_are_held", default=False)


class log_context:  # noqa: N801 - reads as a function, and costs less than a generator would
    """Adds fields to every line logged inside the block."""

    __slots__ = ("_fields", "_token")

    def __init__(self, **fields: Any) -> None:
        self._fields = fields
        self._token: Token[Mapping[str, Any]] | None = None

    def __enter__(self) -> None:
        outer = _fields.get()
        self._token = _fields.set({**outer, **self._fields} if outer else self._fields)

    def __exit__(self, *raised: object) -> None:
        if self._token is not None:
            _fields.reset(self._token)


class lines_together:  # noqa: N801 - reads as a function
    """Lets this thread's lines go out in one write at the end of the block.

    Each write gives other threads the interpreter: line by line, a worker spent a fifth of its CPU
    on handing it round (measured). Handlers that know nothing of this write as ever.
    """

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = _are_held.set(True)

    def __exit__(self, *raised: object) -> None:
        _are_held.reset(self._token)
        if not _are_held.get():
            for handler in logging.getLogger().handlers:
                with suppress(OSError, ValueError):  # no place to write to is no reason to fail
                    handler.flush()


def are_lines_held() -> bool:
    """Say whether what this thread logs is to wait for the end of a block."""
    return _are_held.get()


_NOBODY = {**vars(logging.makeLogRecord({})), "levelno": logging.INFO, "levelname": "INFO"}
_NOBODY |= dict.fromkeys(("thread", "threadName", "process", "processName"))


class FrequentRecord(logging.LogRecord):
    """A line of `log_often`, made without a look for caller, thread and process.

    What it says beside its event is in `fields`, and in attributes as `extra` would put it there.
    Nearly half of what a plain record costs until it is written goes into making it, and into
    telling its fields from the attributes that all records have (measured: 35 µs, this way 20).
    """

    def __init__(self, name: str, event: str, fields: Mapping[str, Any]) -> None:
        created = time.time()
        own = {"name": name, "msg": event, "created": created, "msecs": created % 1 * 1000}
        self.__dict__.update({**_NOBODY, **own, **fields})
        self.fields = fields


def log_often(log: logging.Logger, event: str, fields: Mapping[str, Any]) -> None:
    """Log at INFO what happens to every step and task; who makes all records makes these too."""
    if not log.isEnabledFor(logging.INFO):
        return
    if logging.getLogRecordFactory() is logging.LogRecord:
        log.handle(FrequentRecord(log.name, event, fields))
    else:
        log.handle(log.makeRecord(log.name, logging.INFO, "", 0, event, (), None, extra=fields))


def name_process(*, kind: str, name: str) -> None:
    """Say once which process this is; every line of it will carry both."""
    _process.update(process_kind=kind, process=name)


def current_fields() -> dict[str, Any]:
    """Return the fields of the process and of the current unit of work."""
    return {**_process, **_fields.get()}
