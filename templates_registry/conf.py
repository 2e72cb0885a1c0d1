"""How a setting of Tasker is found: code, variable, profile, default.

A table of settings is a frozen dataclass whose fields are made by `setting()`: one line holds name,
type, default, range, unit, help and what each profile changes. The tables of the three packages,
the system checks and `.env.example` all come from here; nothing else reads `TASKER_*` variables.
A value that cannot be used never raises: it comes back with its `problem`, which the system checks
print, and they let nothing start.

Why dataclass fields instead of a separate list: the type checker then knows every setting, and no
name or default is written twice.
"""

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar, get_type_hints

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

ENVIRONMENTS = ("development", "test", "production")
Table = TypeVar("Table")
TABLES = (  # as text: the registry stands below the other two packages
    "templates_registry.conf.RegistrySettings",
    "orchestration.conf.EngineSettings",
    "orchestration.conf.AccessSettings",
    "orchestration.conf.PoolSettings",
    "orchestration.conf.ProtectionSettings",
    "orchestration.conf.StalenessSettings",
    "orchestration.conf.RetentionSettings",
    "orchestration.conf.AdminSettings",
    "orchestration.conf.ObservabilitySettings",
    "workers.conf.WorkerSettings",
)
BOOLEANS = {"true": True, "1": True, "yes": True, "on": True}
BOOLEANS |= {"false": False, "0": False, "no": False, "off": False}


class Range(NamedTuple):
    """Least and greatest size, written `min-max`."""

    minimum: int
    maximum: int

    def __str__(self) -> str:
        return f"{self.minimum}-{self.maximum}"


class BreakerRule(NamedTuple):
    """When a circuit breaker opens and closes: `failures,within,open,successes`, or `off`."""

    failures: int
    within_seconds: int
    open_seconds: int
    successes: int

    def __str__(self) -> str:
        return "off" if self == BREAKER_OFF else ",".join(str(number) for number in self)


BREAKER_OFF = BreakerRule(0, 0, 0, 0)


class JsonList(tuple[Any, ...]):
    """A list whose items are no plain words; written as JSON."""

    __slots__ = ()

    def __str__(self) -> str:
        return json.dumps(list(self))


_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Range: "a range min-max",
    BreakerRule: "off, or four whole numbers failures,within,open,successes",
    JsonList: "a JSON list",
    tuple: "a comma-separated list",
}


class Problem(NamedTuple):
    """Why a given value cannot be used: id of the system check, and the sentence to print."""

    check: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of a table of settings."""

    name: str
    type: type
    default: Any
    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    profiles: Mapping[str, Any] = field(default_factory=dict)
    is_secret: bool = False  # its value is printed nowhere

    @property
    def key(self) -> str:
        """Key in `settings.TASKER`, and attribute of the dataclass."""
        return self.name.lower()

    @property
    def variables(self) -> tuple[str, ...]:
        """Environment variables that give this setting, the first one present wins."""
        if self.name == "ENVIRONMENT":
            return ("TASKER_ENV",)
        if self.name == "TEMPLATE_PATHS":
            return ("TASKER_TEMPLATE_PATHS", "TASKER_TEMPLATE_PATH")
        return (f"TASKER_{self.name}",)

    @property
    def allowed(self) -> str:
        """The values that are accepted, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        text = _WORDS.get(self.type, "text")
        if self.minimum is not None and self.maximum is not None:
            text += f" from {self.minimum} to {self.maximum}"
        elif self.minimum is not None:
            text += f" of at least {self.minimum}"
        return text + (f" ({self.unit})" if self.unit else "")


class Value(NamedTuple):
    """What a setting is now, where that came from, and what is wrong with it."""

    value: Any
    source: str  # code | environment | profile | default
    variable: str  # as a person would write it: TASKER['lease_seconds'] or TASKER_LEASE_SECONDS
    problem: Problem | None = None


def setting(default: Any, help: str, **rest: Any) -> Any:  # noqa: A002 - the table's own word
    """Declare one field of a table: a dataclass field that carries its `Setting`."""
    return field(default=default, metadata={"help": help, **rest})


def table(source: type) -> tuple[Setting, ...]:
    """Return the rows of a table, in the order in which they are declared."""
    hints = get_type_hints(source)
    return tuple(_row(each, hints[each.name]) for each in fields(source))


def tables() -> list[type]:
    """Return the tables of the three packages, from the ground up."""
    return [import_string(path) for path in TABLES]


def _row(each: "Field[Any]", hint: Any) -> Setting:
    kind = getattr(hint, "__origin__", hint)
    return Setting(name=each.name.upper(), type=kind, default=each.default, **each.metadata)


def read(source: type, *, code: Mapping[str, Any] | None = None) -> dict[str, Value]:
    """Return every setting of a table by its key: code, then variable, then profile, then default.

    `code` stands for `settings.TASKER` while `settings.py` itself is being read.
    """
    given = getattr(settings, "TASKER", {}) if code is None else code
    profile = str(given.get("environment") or os.environ.get("TASKER_ENV") or ENVIRONMENTS[0])
    return {row.key: _find(row, given, profile) for row in table(source)}


def _find(row: Setting, code: Mapping[str, Any], profile: str) -> Value:
    source = "profile" if profile in row.profiles else "default"
    fallback = Value(row.profiles.get(profile, row.default), source, row.variables[0])
    if row.key in code:
        return _checked(row, code[row.key], "code", f"TASKER[{row.key!r}]", fallback)
    for variable in row.variables:
        if os.environ.get(variable, "") != "":
            return _checked(row, os.environ[variable], "environment", variable, fallback)
    return fallback


def _checked(row: Setting, raw: Any, source: str, variable: str, fallback: Value) -> Value:
    try:
        value = _converted(row.type, raw)
        check = _refusal(row, value)
    except (TypeError, ValueError):
        check = "E002"
    if check is None:
        return Value(value, source, variable)
    shown = "***" if row.is_secret else repr(raw)
    text = f"{row.name} = {shown} (from {variable}): must be {row.allowed}."
    return fallback._replace(variable=variable, problem=Problem(check, text))


def _converted(kind: type, raw: Any) -> Any:
    """Turn a given value into the type of its row; raises TypeError or ValueError."""
    if kind is Range:
        parts = raw.split("-") if isinstance(raw, str) else raw
        low, high = (_converted(int, part) for part in parts)
        return Range(low, high)
    if kind is BreakerRule:
        return _breaker_rule(raw)
    if kind is JsonList:
        return _json_list(raw)
    if kind is tuple:
        parts = raw.split(",") if isinstance(raw, str) else raw
        return tuple(str(part).strip() for part in parts if str(part).strip())
    if isinstance(raw, str):
        text = raw.strip()
        return (
            BOOLEANS[text.lower()]
            if kind is bool and text.lower() in BOOLEANS
            else _parsed(kind, text)
        )
    if kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if not isinstance(raw, kind) or (kind is int and isinstance(raw, bool)):
        raise TypeError(raw)
    return raw


def _breaker_rule(raw: Any) -> BreakerRule:
    if isinstance(raw, str) and raw.strip().lower() == "off":
        return BREAKER_OFF
    parts = raw.split(",") if isinstance(raw, str) else raw
    return BreakerRule(*[_converted(int, part) for part in parts])


def _json_list(raw: Any) -> JsonList:
    found = json.loads(raw) if isinstance(raw, str) else raw
    if not isinstance(found, list | tuple):
        raise TypeError("no list")
    return JsonList(found)


def _parsed(kind: type, text: str) -> Any:
    if kind is bool:
        raise ValueError(text)
    value = kind(text)
    if kind is float and not math.isfinite(value):
        raise ValueError(text)
    return value


def _refusal(row: Setting, value: Any) -> str | None:
    """Return the id of the check that refuses a well-typed value."""
    if row.choices and value not in row.choices:
        return "E004" if row.name == "ENVIRONMENT" else "E003"
    if isinstance(value, Range) and value.minimum > value.maximum:
        return "E011"
    if value == BREAKER_OFF and isinstance(value, BreakerRule):
        return None
    numbers = value if isinstance(value, Range | BreakerRule) else (value,)
    for number in numbers if row.type in (int, float, Range, BreakerRule) else ():
        if row.minimum is not None and number < row.minimum:
            return "E003"
        if row.maximum is not None and number > row.maximum:
            return "E003"
    return None


def load(source: type[Table], *, code: Mapping[str, Any] | None = None) -> Table:
    """Return a table's values as its frozen dataclass; a bad value is replaced by its default.

    Why it does not raise: modules read settings while Django imports them for its checks, and the
    checks must live to say what is wrong. Every process and command runs them before it works.
    """
    return source(**{key: value.value for key, value in read(source, code=code).items()})


def cached(source: type[Table]) -> Callable[[], Table]:
    """Return a getter that loads a table once, and again after a change of `settings.TASKER`."""
    getter = lru_cache(maxsize=1)(lambda: load(source))

    def forget(*, setting: str, **rest: Any) -> None:
        if setting == "TASKER":
            getter.cache_clear()

    setting_changed.connect(forget, weak=False)
    return getter


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """What the registry of templates, and everything above it, must know."""

    environment: str = setting(
        "development",
        "profile; the overrides of this name in a template apply",
        choices=ENVIRONMENTS,
    )
    template_paths: tuple[str, ...] = setting(
        (), "files and folders of templates beside what the installed apps ship"
    )
    template_change_policy: str = setting(
        "revise",
        "what to do with changed content under a registered version",
        choices=("revise", "reject"),
    )
    load_examples: bool = setting(
        True, "register the shipped example workflows", profiles={"production": False}
    )
    max_steps_per_task: int = setting(
        10_000, "steps of one task, beyond which it is refused", minimum=1, maximum=100_000
    )


registry_settings = cached(RegistrySettings)
