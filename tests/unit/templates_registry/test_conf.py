"""How a setting is found and what is refused, on a small table and on the real three."""

from dataclasses import FrozenInstanceError, dataclass, fields

import pytest

from orchestration.conf import EngineSettings, engine_settings
from templates_registry.conf import (
    BREAKER_OFF,
    BreakerRule,
    JsonList,
    Range,
    load,
    read,
    setting,
    table,
    tables,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    count: int = setting(3, "how many", minimum=1, maximum=9, profiles={"test": 4})
    share: float = setting(0.5, "how much", minimum=0, maximum=1)
    is_on: bool = setting(False, "whether")
    colour: str = setting("red", "which", choices=("red", "green"))
    names: tuple[str, ...] = setting((), "who")
    size: Range = setting(Range(1, 2), "from to", minimum=0, maximum=10)  # noqa: RUF009
    rule: BreakerRule = setting(BreakerRule(5, 60, 30, 2), "when", minimum=1)  # noqa: RUF009
    keys: JsonList = setting(JsonList(), "which keys", is_secret=True)  # noqa: RUF009


RULE_WORDS = "off, or four whole numbers failures,within,open,successes of at least 1"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for row in table(Sample):
        for variable in row.variables:
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.delenv("TASKER_ENV", raising=False)


def _one(key, code=None):
    return read(Sample, code=code or {})[key]


def test_default_is_taken_when_nothing_is_given():
    assert _one("count")[:2] == (3, "default")


def test_profile_wins_over_default(monkeypatch):
    monkeypatch.setenv("TASKER_ENV", "test")

    assert _one("count")[:2] == (4, "profile")


def test_variable_wins_over_profile(monkeypatch):
    monkeypatch.setenv("TASKER_ENV", "test")
    monkeypatch.setenv("TASKER_COUNT", "5")

    assert _one("count")[:3] == (5, "environment", "TASKER_COUNT")


def test_code_wins_over_variable(monkeypatch):
    monkeypatch.setenv("TASKER_COUNT", "5")

    assert _one("count", {"count": 6})[:3] == (6, "code", "TASKER['count']")


def test_profile_may_be_chosen_in_code():
    assert _one("count", {"environment": "test"}).value == 4


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("COUNT", " 7 ", 7),
        ("SHARE", "1", 1.0),
        ("IS_ON", "true", True),
        ("IS_ON", "Off", False),
        ("COLOUR", "green", "green"),
        ("NAMES", "a, b,,c", ("a", "b", "c")),
        ("SIZE", "0-10", Range(0, 10)),
        ("RULE", "3, 60,15,2", BreakerRule(3, 60, 15, 2)),
        ("RULE", "Off", BREAKER_OFF),
    ],
)
def test_text_of_a_variable_becomes_the_type_of_the_row(monkeypatch, variable, text, value):
    monkeypatch.setenv(f"TASKER_{variable}", text)

    found = _one(variable.lower())

    assert found.problem is None
    assert found.value == value
    assert type(found.value) is type(value)


@pytest.mark.parametrize(
    ("variable", "text", "check", "allowed"),
    [
        ("COUNT", "many", "E002", "a whole number from 1 to 9"),
        ("COUNT", "3.5", "E002", "a whole number from 1 to 9"),
        ("COUNT", "0", "E003", "a whole number from 1 to 9"),
        ("COUNT", "10", "E003", "a whole number from 1 to 9"),
        ("SHARE", "nan", "E002", "a number from 0 to 1"),
        ("SHARE", "inf", "E002", "a number from 0 to 1"),
        ("SHARE", "-0.1", "E003", "a number from 0 to 1"),
        ("IS_ON", "maybe", "E002", "true or false"),
        ("COLOUR", "blue", "E003", "one of red, green"),
        ("SIZE", "5", "E002", "a range min-max from 0 to 10"),
        ("SIZE", "1-2-3", "E002", "a range min-max from 0 to 10"),
        ("SIZE", "5-2", "E011", "a range min-max from 0 to 10"),
        ("SIZE", "5-11", "E003", "a range min-max from 0 to 10"),
        ("RULE", "3,60,15", "E002", RULE_WORDS),
        ("RULE", "3,60,15,2,1", "E002", RULE_WORDS),
        ("RULE", "3,60,15,two", "E002", RULE_WORDS),
        ("RULE", "on", "E002", RULE_WORDS),
        ("RULE", "3,60,0,2", "E003", RULE_WORDS),
    ],
)
def test_bad_value_falls_back_and_is_explained(monkeypatch, variable, text, check, allowed):
    monkeypatch.setenv(f"TASKER_{variable}", text)

    found = _one(variable.lower())

    assert found.value == read(Sample, code={variable.lower(): found.value})[variable.lower()].value
    assert found.problem == (
        check,
        f"{variable} = {text!r} (from TASKER_{variable}): must be {allowed}.",
    )


@pytest.mark.parametrize("value", [True, "x", None, 2.0, [1]])
def test_code_must_give_a_number_as_a_number(value):
    assert _one("count", {"count": value}).problem.check == "E002"


@pytest.mark.parametrize("value", [(2, 3), [2, 3], "2-3", Range(2, 3)])
def test_code_may_give_a_range_in_several_ways(value):
    assert _one("size", {"size": value}).value == Range(2, 3)


@pytest.mark.parametrize("value", [(1, 2, 3, 4), [1, 2, 3, 4], "1,2,3,4", BreakerRule(1, 2, 3, 4)])
def test_code_may_give_the_rule_of_a_breaker_in_several_ways(value):
    assert _one("rule", {"rule": value}).value == BreakerRule(1, 2, 3, 4)


@pytest.mark.parametrize("rule", [BREAKER_OFF, BreakerRule(1, 2, 3, 4)])
def test_the_rule_of_a_breaker_is_written_as_it_is_read(rule):
    assert _one("rule", {"rule": str(rule)}).value == rule


def test_load_returns_a_frozen_dataclass_of_the_values():
    loaded = load(Sample, code={"count": 8, "names": ["x"]})

    assert (loaded.count, loaded.names) == (8, ("x",))
    with pytest.raises(FrozenInstanceError):
        loaded.count = 1  # type: ignore[misc]


def test_load_replaces_a_bad_value_so_that_the_checks_live_to_refuse_it():
    assert load(Sample, code={"count": 99, "environment": "test"}).count == 4


def test_change_of_settings_reaches_the_cached_getter(settings):
    before = engine_settings()

    settings.TASKER = {"lease_seconds": 77}

    assert before.lease_seconds != 77
    assert engine_settings().lease_seconds == 77
    assert engine_settings() is engine_settings()


def test_template_path_is_accepted_under_its_old_name(monkeypatch):
    monkeypatch.setenv("TASKER_TEMPLATE_PATH", "one,two")

    assert read(tables()[0], code={})["template_paths"].value == ("one", "two")


@pytest.mark.parametrize("profile", ["development", "test", "production"])
def test_every_default_of_every_profile_is_allowed(profile):
    for source in tables():
        for row in table(source):
            code = {"environment": profile, row.key: row.profiles.get(profile, row.default)}
            assert read(source, code=code)[row.key].problem is None, row.name


def test_no_setting_is_declared_twice():
    keys = [each.name for source in tables() for each in fields(source)]

    assert len(keys) == len(set(keys))


def test_every_row_says_what_it_is_for():
    assert all(row.help for source in tables() for row in table(source))


def test_test_profile_of_the_design():
    found = read(EngineSettings, code={"environment": "test"})

    assert {key: found[key].value for key in ("lease_seconds", "heartbeat_seconds")} == {
        "lease_seconds": 6,
        "heartbeat_seconds": 2,
    }
    assert found["backoff_jitter_ratio"].value == 0
    assert found["default_backoff_base_ms"].value == 10


def test_a_list_of_objects_is_written_as_json(monkeypatch):
    monkeypatch.setenv("TASKER_KEYS", '[{"a": 1}, 2]')
    assert _one("keys")[:2] == (({"a": 1}, 2), "environment")
    assert _one("keys", {"keys": [{"a": 1}]})[:2] == (({"a": 1},), "code")
    assert str(_one("keys", {"keys": [{"a": 1}]}).value) == '[{"a": 1}]'


@pytest.mark.parametrize("raw", ["[", '{"a": 1}', "word", "s3cret"])
def test_a_bad_value_of_a_secret_is_refused_without_being_told(monkeypatch, raw):
    monkeypatch.setenv("TASKER_KEYS", raw)

    found = _one("keys")

    assert found.problem == ("E002", "KEYS = *** (from TASKER_KEYS): must be a JSON list.")
    assert found.value == ()
