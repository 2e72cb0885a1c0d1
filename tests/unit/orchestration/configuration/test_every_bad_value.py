"""Every setting refuses what it cannot use, by the check that the contract names for it."""

from collections.abc import Iterator
from typing import Any

import pytest

from orchestration.checks import check_settings
from templates_registry.conf import BreakerRule, JsonList, Range, Setting, read, table, tables

ROWS = [row for source in tables() for row in table(source)]
BY_NAME = {row.name: row for row in ROWS}


@pytest.fixture(autouse=True)
def _profile_only(monkeypatch, settings):
    """Let no variable of the machine reach these tests."""
    for row in ROWS:
        for variable in row.variables:
            monkeypatch.delenv(variable, raising=False)
    settings.TASKER = {"environment": "test"}


def bad_values() -> Iterator[Any]:
    """Yield variable, text and check for every way in which a row may be wrong."""
    for row in ROWS:
        for text, check in _bad_texts(row):
            yield pytest.param(row, text, check, id=f"{row.name}={text or 'nothing'}")


def _bad_texts(row: Setting) -> Iterator[tuple[str, str]]:
    if row.choices:
        yield "nonsense", "E004" if row.name == "ENVIRONMENT" else "E003"
    elif row.type in (int, float, bool):
        yield "nonsense", "E002"
    if row.type in (int, float):
        yield from _outside(row, str)
    if row.type is float:
        yield "nan", "E002"
    if row.type is Range:
        yield from (("nonsense", "E002"), ("1", "E002"), ("3-2", "E011"))
        yield from _outside(row, lambda number: f"{number}-{number}")
    if row.type is BreakerRule:
        yield from (("1,2,3", "E002"), ("a,b,c,d", "E002"), ("0,1,1,1", "E003"))
    if row.type is JsonList:
        yield from (("{}", "E002"), ("[", "E002"))


def _outside(row: Setting, write: Any) -> Iterator[tuple[str, str]]:
    step = 1 if row.type is not float else 0.01
    if row.minimum is not None and (row.minimum > 0 or row.type is not Range):
        yield write(row.minimum - step), "E003"
    if row.maximum is not None:
        yield write(row.maximum + step), "E003"


@pytest.mark.parametrize(("row", "text", "check"), list(bad_values()))
def test_a_bad_value_is_refused_by_its_check(monkeypatch, settings, row, text, check):
    if row.name == "ENVIRONMENT":
        settings.TASKER = {}
    monkeypatch.setenv(row.variables[0], text)

    found = [each for each in check_settings() if row.variables[0] in each.msg]

    assert [each.id for each in found] == [f"tasker.{check}"]
    assert found[0].is_serious()
    assert row.allowed in found[0].msg
    assert row.is_secret or text in found[0].msg


def test_every_row_with_a_type_or_a_range_is_tried():
    tried = {case.values[0].name for case in bad_values()}

    assert {row.name for row in ROWS if row.type not in (str, tuple)} <= tried


def test_a_large_pool_is_warned_of(settings):
    settings.DATABASES["default"].setdefault("OPTIONS", {}).setdefault("pool", {"max_size": 101})
    settings.TASKER = {"environment": "test", "db_pool_size": "2-101"}

    [found] = check_settings()

    assert (found.id, found.is_serious()) == ("tasker.W007", False)


# Values of the profiles as the contract has them (api-and-operations 4.3).
PROFILES = {
    "AUTH_ENABLED": (False, False, True),
    "LOAD_EXAMPLES": (True, True, False),
    "LOG_FORMAT": ("console", "console", "json"),
    "LOG_LEVEL": ("DEBUG", "WARNING", "INFO"),
    "CORS_ORIGINS": (("loopback",), ("loopback",), ()),
    "API_DOCS": ("public", "public", "authenticated"),
    "HTTP_BIND": ("127.0.0.1", "127.0.0.1", "0.0.0.0"),  # noqa: S104
    "COMPAT_TASKER_CORE": ("auto", "always", "auto"),
    "DEFAULT_BACKOFF_BASE_MS": (1000, 10, 1000),
    "MAX_BACKOFF_SECONDS": (30, 300, 300),
    "BACKOFF_JITTER_RATIO": (0.1, 0.0, 0.1),
    "ORCHESTRATOR_POLL_MS": (1000, 100, 10_000),
    "WORKER_POLL_MS": (500, 50, 5000),
    "LEASE_SECONDS": (30, 6, 30),
    "HEARTBEAT_SECONDS": (10, 2, 10),
    "STALENESS_INTERVAL_SECONDS": (300, 60, 600),
    "STALE_WAITING_DEPENDENCIES_MINUTES": (60, 5, 120),
    "STALE_WAITING_RETRY_MINUTES": (30, 2, 60),
    "STALE_STEPS_IN_PROCESS_MINUTES": (30, 5, 60),
    "QUEUE_CRITICAL": (5000, 500, 5000),
    "QUEUE_OVERFLOW": (10_000, 1000, 10_000),
}


@pytest.mark.parametrize("name", PROFILES)
def test_the_profiles_have_the_values_of_the_contract(settings, name):
    found = []
    for environment in ("development", "test", "production"):
        settings.TASKER = {"environment": environment}
        values = [read(source).get(BY_NAME[name].key) for source in tables()]
        found += [value.value for value in values if value is not None]

    assert tuple(found) == PROFILES[name]
