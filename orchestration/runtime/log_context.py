"""What every log line of the current thread says beside its event: task, step, request, process.

Set where a unit of work begins, read by the formatter of the project. Context variables follow
async handlers too, so the lines of a user's handler carry the ids without any help of theirs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_fields: ContextVar[Mapping[str, Any]] = ContextVar("tasker_log_fields", default={})  # noqa: B039
_process: dict[str, Any] = {}


@contextmanager
def log_context(**fields: Any) -> Iterator[None]:
    """Add fields to every line logged inside the block."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def name_process(*, kind: str, name: str) -> None:
    """Say once which process this is; every line of it will carry both."""
    _process.update(process_kind=kind, process=name)


def current_fields() -> dict[str, Any]:
    """Return the fields of the process and of the current unit of work."""
    return {**_process, **_fields.get()}
