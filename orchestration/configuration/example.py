"""Writes `.env.example`: every variable that Tasker reads, with its default, range and unit.

`make env` writes the file; a test compares it with what this module says, so it cannot grow old.
"""

from collections.abc import Iterator
from typing import Any

from templates_registry.conf import Setting, table, tables

HEAD = """\
# Every variable that Tasker reads, with its default. Copy this file to .env and take away the `# `
# of a line to change it; a variable of the environment wins over the file. Written by `make env`.
"""
DJANGO = {
    "DATABASE_URL": ("", "postgresql://user:password@host/name; empty = the embedded server"),
    "DATABASE_DIRECT_URL": ("", "past the transaction pooler of DATABASE_URL: LISTEN, migrations"),
    "DJANGO_SECRET_KEY": ("", "50 letters or more; production demands it"),
    "DJANGO_DEBUG": ("true", "true or false; off in the profiles test and production"),
    "DJANGO_ALLOWED_HOSTS": ("", "comma-separated; empty = loopback, production demands it"),
}


def env_example() -> str:
    """Return the text of `.env.example`."""
    return "\n".join([HEAD, *_django_lines(), *_setting_lines()]) + "\n"


def _django_lines() -> Iterator[str]:
    for name, (default, help_text) in DJANGO.items():
        yield f"# {help_text}\n# {name}={default}"


def _setting_lines() -> Iterator[str]:
    for source in tables():
        package = source.__module__.split(".")[0]
        yield f"\n# ---- {package}"
        for row in table(source):
            yield f"# {_meaning(row)}\n# {row.variables[0]}={written(row.default)}"


def _meaning(row: Setting) -> str:
    others = ", ".join(f"{name}: {written(value)}" for name, value in row.profiles.items())
    return f"{row.help}; {row.allowed}" + (f" [{others}]" if others else "")


def written(value: Any) -> str:
    """Return a value as it is written in the environment."""
    if isinstance(value, bool):
        return str(value).lower()
    if type(value) is tuple:
        return ",".join(value)
    return str(value)
