"""Every setting with the value in force and where that came from; secrets are hidden."""

import os
import re
from typing import Any, NamedTuple

from django.conf import settings

from orchestration.configuration.example import DJANGO, written
from templates_registry.conf import BreakerRule, Range, Setting, Value, read, table, tables

HIDDEN = "***"
SECRET_NAME = re.compile(r"KEY|SECRET|PASSWORD|TOKEN|DSN")
SECRET_ADDRESS = re.compile(r"://[^/\s]*@")


class Effective(NamedTuple):
    """One setting as it is; `source` is default, profile, environment or code."""

    value: Any
    source: str
    variable: str

    @property
    def is_changed(self) -> bool:
        """Somebody has given it."""
        return self.source in ("environment", "code")


def effective_settings() -> dict[str, Effective]:
    """Return all settings by name, Django's own first; no secret among the values."""
    found = {name: _of_django(name) for name in DJANGO}
    for source in tables():
        values = read(source)
        found |= {row.name: _of_tasker(row, values[row.key]) for row in table(source)}
    return found


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, Range | BreakerRule):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _of_tasker(row: Setting, value: Value) -> Effective:
    is_secret = row.is_secret or is_secret_setting(row.name, written(value.value))
    shown = HIDDEN if is_secret and value.value else plain(value.value)
    return Effective(shown, value.source, value.variable)


def _of_django(name: str) -> Effective:
    """Return one of Django's own, as the project's settings have read it."""
    given = os.environ.get(name, "")
    values = {"DJANGO_DEBUG": settings.DEBUG, "DJANGO_ALLOWED_HOSTS": list(settings.ALLOWED_HOSTS)}
    value = values.get(name, given)
    shown = HIDDEN if value and is_secret_setting(name, str(value)) else value
    return Effective(shown, "environment" if given else "default", name)


def is_secret_setting(name: str, text: str) -> bool:
    """Tell whether a value is nobody's business, by its name or by what it looks like."""
    return bool(SECRET_NAME.search(name) or SECRET_ADDRESS.search(text))
