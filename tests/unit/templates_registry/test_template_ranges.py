"""Every range and choice of handlers.md 1.2 to 1.6: its ends are fine, one step beyond is not."""

from collections.abc import Mapping
from typing import Any

import pytest

from templates_registry.schema import inspect_data

RETRY, BATCH, LIFE = ("steps", 0, "retry"), ("steps", 0, "batch_config"), ("lifecycle",)
NUMBERS = {
    ("steps", 0, "timeout_seconds"): (1, 86_400),
    (*RETRY, "max_attempts"): (0, 100),
    (*RETRY, "backoff_base_ms"): (0, 3_600_000),
    (*RETRY, "max_backoff_ms"): (0, 3_600_000),
    (*BATCH, "batch_size"): (1, 100_000),
    (*BATCH, "parallelism"): (1, 1000),
    (*LIFE, "max_duration_minutes"): (1, 43_200),
    (*LIFE, "max_waiting_for_dependencies_minutes"): (1, 10_080),
    (*LIFE, "max_waiting_for_retry_minutes"): (1, 10_080),
    (*LIFE, "max_steps_in_process_minutes"): (1, 10_080),
}
LENGTHS = {
    ("name",): 255,
    ("version",): 50,
    ("steps", 0, "name"): 63,  # of a batch worker
    ("steps", 0, "handler", "callable"): 500,
    (*BATCH, "cursor_field"): 255,
}
EVENT = ("steps", 0, "publishes_events", 0)
CHOICES = {
    ("identity_strategy",): ["always_unique", "strict", "caller_provided"],
    (*LIFE, "staleness_action"): ["dlq", "error", "none"],
    (*RETRY, "backoff"): ["none", "linear", "exponential", "fibonacci"],
    (*EVENT, "condition"): [
        "success", "failure", "retryable_failure", "permanent_failure", "always",
    ],
    (*EVENT, "delivery_mode"): ["durable", "fast", "broadcast"],
    (*BATCH, "failure_strategy"): ["continue_on_failure", "fail_fast", "isolate"],
}  # fmt: skip
WRONG_TYPES = {
    ("description",): 1,
    ("metadata",): [],
    ("metadata", "tags"): "a",
    ("metadata", "author"): 1,
    ("validate_input",): 1,
    ("steps",): "a",
    ("lifecycle",): "none",
    (*LIFE, "auto_fail_on_timeout"): "no",
    (*LIFE, "auto_dlq_on_timeout"): 0,
    ("domain_events",): {},
    ("environments",): [],
    ("environments", "test"): "a",
    ("environments", "test", "steps"): {},
    ("system_dependencies",): "default",
    ("system_dependencies", "secondary"): "a",
    ("steps", 0, "description"): [],
    ("steps", 0, "handler"): [],
    ("steps", 0, "handler", "method"): 1,
    ("steps", 0, "handler", "resolver"): True,
    ("steps", 0, "handler", "initialization"): [],
    (*RETRY, "retryable"): "yes",
    ("steps", 0, "publishes_events"): "a.b",
    (*EVENT, "schema"): [],
    ("steps", 0, "validate_result"): "yes",
    ("steps", 0, "result_schema"): "object",
    ("steps", 0, "system_dependency"): 5,
    (*BATCH, "worker_template"): 1,
}

Place = tuple[str | int, ...]


def template_with(place: Place, value: Any) -> dict[str, Any]:
    """Return a template with one value somewhere."""
    event = {"name": "a.b"}
    step: dict[str, Any] = {
        "name": "a",
        "type": "batch_worker",
        "handler": {"callable": "x"},
        "retry": {},
        "batch_config": {},
        "publishes_events": [event],
    }
    found: dict[str, Any] = {
        "name": "t",
        "namespace_name": "n",
        "version": "1.0.0",
        "steps": [step],
        "lifecycle": {},
        "metadata": {},
        "environments": {"test": {}},
        "system_dependencies": {},
    }
    below: Any = found
    for part in place[:-1]:
        below = below[part]
    below[place[-1]] = value
    return found


def errors_of(place: Place, value: Any) -> list[tuple[str, str]]:
    report = inspect_data(template_with(place, value)).report
    return [(each.code, each.path) for each in report.findings if each.is_error]


def path_of(place: Place) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")


def cases(table: Mapping[Place, Any]) -> list[Any]:
    return [pytest.param(place, found, id=path_of(place)) for place, found in table.items()]


@pytest.mark.parametrize(("place", "ends"), cases(NUMBERS))
def test_a_number_beyond_its_range_is_found(place: Place, ends: tuple[int, int]) -> None:
    least, most = ends

    assert errors_of(place, least) == errors_of(place, most) == []
    for value in (least - 1, most + 1):
        assert errors_of(place, value) == [("VALUE_OUT_OF_RANGE", path_of(place))]
    for other in (float(most), str(most), True):
        assert errors_of(place, other) == [("INVALID_TYPE", path_of(place))]


@pytest.mark.parametrize(("place", "most"), cases(LENGTHS))
def test_a_text_that_is_too_long_is_found(place: Place, most: int) -> None:
    assert errors_of(place, "x") == errors_of(place, "x" * most) == []
    assert errors_of(place, "x" * (most + 1)) == [("VALUE_OUT_OF_RANGE", path_of(place))]


@pytest.mark.parametrize(("place", "allowed"), cases(CHOICES))
def test_a_word_that_is_no_choice_is_found(place: Place, allowed: list[str]) -> None:
    for word in allowed:
        assert errors_of(place, word) == []
        assert errors_of(place, word.upper()) == [("INVALID_ENUM", path_of(place))]


@pytest.mark.parametrize(("place", "value"), cases(WRONG_TYPES))
def test_a_value_of_another_type_is_found(place: Place, value: Any) -> None:
    assert errors_of(place, value) == [("INVALID_TYPE", path_of(place))]
