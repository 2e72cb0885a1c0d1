"""The table of a template's steps: order, columns, escaping (handlers.md 8.2)."""

from typing import Any

import pytest

from orchestration.pictures.tables import template_table
from tests.factories.graphs import template


def rows(*steps: dict[str, Any]) -> list[tuple[str, ...]]:
    return list(template_table(template(*steps)).rows)


def test_rows_stand_as_steps_become_free_siblings_by_name() -> None:
    found = rows(
        {"name": "last", "dependencies": ["m", "b"]},
        {"name": "m", "dependencies": ["z"]},
        {"name": "z"},
        {"name": "b", "dependencies": ["y"]},
        {"name": "y"},
        {"name": "a", "dependencies": ["z", "y"]},
    )

    assert [row[0] for row in found] == ["y", "z", "b", "a", "m", "last"]


def test_a_step_that_two_siblings_free_stands_behind_those_freed_before() -> None:
    found = rows(
        {"name": "root"},
        {"name": "a", "dependencies": ["root"]},
        {"name": "b", "dependencies": ["root"]},
        {"name": "after_a", "dependencies": ["a"]},
        {"name": "join", "dependencies": ["a", "b"]},
    )

    assert [row[0] for row in found] == ["root", "a", "b", "after_a", "join"]


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("standard", "Standard"),
        ("decision", "Decision"),
        ("deferred_convergence", "DeferredConvergence"),
        ("batchable", "Batchable"),
        ("batch_worker", "BatchWorker"),
    ],
)
def test_a_type_has_its_word(kind: str, word: str) -> None:
    assert rows({"name": "a", "type": kind})[0][1] == word


def test_dependencies_stand_as_written() -> None:
    found = rows({"name": "b"}, {"name": "a"}, {"name": "c", "dependencies": ["b", "a", "b"]})

    assert found[-1][3] == "b, a"


@pytest.mark.parametrize(
    ("schema", "fields"),
    [
        (None, "—"),
        ({"type": "object"}, "—"),
        ({"type": "object", "properties": {}}, "—"),
        ({"properties": {"b": {}, "a": {}, "B": True}}, "B, a, b"),
    ],
)
def test_schema_fields_are_sorted(schema: Any, fields: str) -> None:
    assert rows({"name": "a", "result_schema": schema})[0][4] == fields


@pytest.mark.parametrize(
    ("retry", "shown"),
    [
        ({}, "—"),
        ({"max_attempts": 3, "backoff": "exponential", "backoff_base_ms": 5}, "—"),
        ({"max_attempts": 4}, "4x exponential"),
        ({"backoff": "fibonacci"}, "3x fibonacci"),
        ({"max_attempts": 0, "backoff": "none"}, "0x none"),
        ({"max_attempts": 9, "backoff": "linear", "retryable": False}, "—"),
    ],
)
def test_only_an_unusual_retry_is_shown(retry: dict[str, Any], shown: str) -> None:
    assert rows({"name": "a", "retry": retry})[0][5] == shown


def test_a_cell_cannot_break_out_of_its_row() -> None:
    found = template({"name": "a|b<c>", "handler": {"callable": "x\r\ny\nz\u2028|"}})

    line = template_table(found).lines()[-1]

    assert line == r"| a\|b&lt;c> | Standard | x y z \| | — | — | — |"
