"""What a template is in one environment (handlers.md 1.7 and 1.10)."""

from pathlib import Path
from typing import Any

import pytest

from templates_registry.schema import TaskTemplate, inspect_data, load_text, resolve, validate

PARCEL_RETURN = (Path(__file__).parent / "parcel_return.yaml").read_text(encoding="utf-8")


def template(*overrides: Any, **step: Any) -> TaskTemplate:
    found = inspect_data(
        {
            "name": "t",
            "namespace_name": "n",
            "version": "1.0.0",
            "steps": [
                {"name": "a", "handler": {"callable": "x"}, **step},
                {"name": "b", "handler": {"callable": "y"}, "dependencies": ["a"]},
            ],
            "environments": {"test": {"steps": list(overrides)}},
        }
    )
    assert found.template is not None, found.report
    return found.template


def test_the_complete_example_resolves_as_documented() -> None:
    resolved = resolve(load_text(PARCEL_RETURN), "test")

    refund = resolved.step("refund_card")
    assert refund.retry.model_dump() == {
        "retryable": True,
        "max_attempts": 2,
        "backoff": "linear",
        "backoff_base_ms": 10,
        "max_backoff_ms": 60_000,
    }
    assert {step.timeout_seconds for step in resolved.steps} == {5}
    assert refund.handler.initialization == {"sandbox": True}
    assert resolved.step("inspect_parcel").handler.initialization == {"scale": "kg"}
    assert [s.name for s in resolved.initial_steps()] == ["inspect_parcel", "choose_remedy"]
    assert resolved.environments == {}


def test_the_complete_example_is_valid() -> None:
    report = validate(load_text(PARCEL_RETURN))

    assert report.valid
    assert {f.code for f in report.findings} == {"NO_RESULT_SCHEMA"}


def test_an_environment_without_entry_changes_nothing() -> None:
    written = template({"name": "ALL", "timeout_seconds": 5})

    resolved = resolve(written, "production")

    assert resolved.steps == written.steps
    assert resolved.environments == {}


@pytest.mark.parametrize(
    ("overrides", "timeouts"),
    [
        ([{"name": "ALL", "timeout_seconds": 5}, {"name": "a", "timeout_seconds": 9}], (9, 5)),
        ([{"name": "a", "timeout_seconds": 9}, {"name": "ALL", "timeout_seconds": 5}], (5, 5)),
        ([{"name": "a", "timeout_seconds": 9}, {"name": "a", "timeout_seconds": 7}], (7, None)),
        ([{"name": "a", "timeout_seconds": 9}, {"name": "a", "timeout_seconds": None}], (9, None)),
        ([{"name": "nobody", "timeout_seconds": 9}], (None, None)),
    ],
)
def test_entries_apply_in_their_order(
    overrides: list[Any], timeouts: tuple[int | None, ...]
) -> None:
    resolved = resolve(template(*overrides), "test")

    assert tuple(step.timeout_seconds for step in resolved.steps) == timeouts


def test_initialization_is_merged_key_by_key_and_not_deeper() -> None:
    written = template(
        {"name": "a", "handler": {"initialization": {"deep": {"x": 1}, "new": 2, "kept": None}}},
        handler={"callable": "x", "initialization": {"deep": {"y": 1}, "kept": 3}},
    )

    resolved = resolve(written, "test")

    assert resolved.step("a").handler.initialization == {"deep": {"x": 1}, "new": 2, "kept": 3}
    assert written.step("a").handler.initialization == {"deep": {"y": 1}, "kept": 3}


def test_a_retry_override_keeps_the_cap_of_a_step_without_retry_block() -> None:
    resolved = resolve(template({"name": "a", "retry": {"max_attempts": 9}}), "test")

    assert resolved.step("a").retry.max_attempts == 9
    assert resolved.step("a").retry.max_backoff_ms == 30_000


def test_a_retry_block_without_cap_leaves_it_to_the_setting() -> None:
    assert template(retry={"max_attempts": 2}).step("a").retry.max_backoff_ms is None
    assert template(retry={}).step("a").retry.max_backoff_ms is None
    assert template().step("a").retry.max_backoff_ms == 30_000


def test_old_spellings_work_in_overrides_too() -> None:
    written = template({"name": "a", "retry_limit": 7, "retry": {"initial_delay": 2}})

    resolved = resolve(written, "test")

    assert resolved.step("a").retry.max_attempts == 7
    assert resolved.step("a").retry.backoff_base_ms == 2000


def test_only_the_wanted_environment_is_looked_at() -> None:
    written = template({"name": "ALL", "retry": {"backoff_base_ms": 40_000}})

    everywhere, elsewhere = validate(written), validate(written, environment="production")

    assert "BACKOFF_CAP_BELOW_BASE" in {f.code for f in everywhere.findings}
    assert "BACKOFF_CAP_BELOW_BASE" not in {f.code for f in elsewhere.findings}
