"""Bodies that are wrong, for every call that takes one: the documented answer, and nothing changed.

What is particular to creating tasks is in `test_api_errors.py`, to credentials in
`test_api_access.py`, to every call of every process in `test_access_table.py`.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orchestration.models import (
    DlqEntry,
    StepTransition,
    Task,
    TaskTransition,
    WorkflowStep,
)
from templates_registry.models import NamedTask
from tests.access_table import World, make_world
from tests.factories.ticks import assert_invariants

pytestmark = pytest.mark.django_db

WHY = {"reason": "r"}
STEP = "/v1/tasks/{task_uuid}/workflow_steps/{step_uuid}"
CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "create a task": ("post", "/v1/tasks", {"name": "linear_1", "namespace": "test"}),
    "create tasks": (
        "post",
        "/v1/tasks/bulk",
        {"tasks": [{"name": "linear_1", "namespace": "test"}]},
    ),
    "act on a task": ("patch", "/v1/tasks/{task_uuid}", {"action_type": "give_up", **WHY}),
    "act on a step": ("patch", STEP, {"action_type": "reset_for_retry", **WHY}),
    "open an investigation": ("post", "/v1/dlq/task/{task_uuid}", {"notes": "n"}),
    "change an investigation": ("patch", "/v1/dlq/entry/{entry_uuid}", {"resolution_notes": "n"}),
    "check a template": ("post", "/v1/templates/validate", {"template": {"name": "a"}}),
}
LEAKS = ("Traceback", 'File "', "psycopg", "SELECT ", "UPDATE ", "tasker_", "django", "/site-pack")

RAW: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 400, "JSON_ERROR"),
    "half a body": (b'{"a": ', 400, "JSON_ERROR"),
    "no object": (b'["a"]', 400, "JSON_ERROR"),
    "no UTF-8": (b'{"a": "\xff"}', 400, "JSON_ERROR"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), 400, "JSON_ERROR"),
    "a key twice": (b'{"reason": "a", "reason": "b"}', 400, "JSON_ERROR"),
    "a key twice inside": (b'{"x": [{"y": 1, "y": 2}]}', 400, "JSON_ERROR"),
    "NUL": (rb'{"reason": "\u0000"}', 400, "JSON_ERROR"),
    "a lone surrogate": (rb'{"notes": "\udfff"}', 400, "JSON_ERROR"),
    "no number": (b'{"x": Infinity}', 400, "JSON_ERROR"),
    "too large a number": (b'{"x": 1e999}', 400, "JSON_ERROR"),
    "too many digits": (b'{"x": ' + b"9" * 5000 + b"}", 400, "JSON_ERROR"),
    "very deep": (b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "JSON_ERROR"),
    "a form": (b"reason=r", 415, "UNSUPPORTED_MEDIA_TYPE"),
}


class Door:
    """A world to call, and what was in it before."""

    def __init__(self, api: Any, world: World) -> None:
        self.api, self.world = api, world
        self.before = list(everything())

    def call(self, name: str, body: bytes, content_type: str = "application/json") -> Any:
        """Send bytes as the body of a call."""
        method, path, _ = CALLS[name]
        return self.api.generic(
            method.upper(), path.format(**self.world._asdict()), body, content_type
        )

    def refuses(self, answer: Any, status: int, code: str) -> dict[str, Any]:
        """Return the error of an answer that says so, leaks nothing and left nothing behind."""
        error: dict[str, Any] = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (status, code), error
        assert not [each for each in LEAKS if each in answer.content.decode()]
        assert list(everything()) == self.before
        assert_invariants()
        return error


def everything() -> Iterator[dict[str, Any]]:
    """Yield every row that an action could touch."""
    models: list[Any] = [Task, WorkflowStep, DlqEntry, TaskTransition, StepTransition, NamedTask]
    for model in models:
        yield from model.objects.order_by("pk").values()


@pytest.fixture
def door(api: Any) -> Door:
    """Return the door to a blocked task with a failed step and an investigation."""
    return Door(api, make_world())


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(("body", "status", "code"), RAW.values(), ids=RAW)
def test_what_is_no_json_object_is_refused_by_every_call(door, name, body, status, code):
    kind = "application/x-www-form-urlencoded" if status == 415 else "application/json"

    door.refuses(door.call(name, body, kind), status, code)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", "x", ""])
def test_another_content_type_is_refused_by_every_call(door, name, kind):
    body = json.dumps(CALLS[name][2]).encode()

    door.refuses(door.call(name, body, kind), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("name", CALLS)
def test_a_body_beyond_the_limit_is_refused_by_every_call(door, settings, name):
    settings.TASKER = {"api_max_body_bytes": 65_536}

    door.refuses(door.call(name, b" " * 65_537), 413, "PAYLOAD_TOO_LARGE")


LONG = "x" * 10_001
WRONG: dict[str, dict[str, list[Any]]] = {
    "create a task": {
        "name": [None, 5, [], {}, True, "", LONG],
        "namespace": [5, [], "UPPER", "a-b", "", "x" * 30, "a\n"],
        "version": [5, {}, "", "x" * 51],
        "context": [5, "x", [], True],
        "initiator": [5, "", "x" * 256],
        "source_system": [False, "", "x" * 256],
        "reason": [5, "x" * 501],
        "tags": ["x", {}, [5], [""], ["x" * 129], [str(n) for n in range(51)]],
        "priority": ["5", 1.5, True, 101, -101, 10**30],
        "requested_at": [5, "tomorrow", "1700000000", "2026-01-01T00:00:00", [], True],
        "correlation_id": [5, "x", [], "0" * 31],
        "parent_correlation_id": [5, "x"],
        "idempotency_key": [5, "", "x" * 256, "a\nb", "ü"],
        "options": [5, [], {"x": "y" * 65_536}],
        "bypass_steps": ["step_1", [5], ["no_such_step"]],
    },
    "create tasks": {
        "tasks": [
            *(None, 5, "x", {}, [], [5], [None], [[]], [{}], [{"name": 5}]),
            [{"name": "linear_1", "namespace": "test"}] * 1001,
            [{"name": "linear_1", "namespace": "test"}, {"name": "linear_1", "namespace": "A"}],
        ],
    },
    "act on a task": {
        "action_type": [None, 5, [], {}, "", "cancel", "RetryEverything"],
        "reason": [None, 5, True, [], {}, "", "x" * 501],
        "acted_by": [5, [], "", "x" * 256],
    },
    "act on a step": {
        "action_type": [None, 5, [], "", "reset"],
        "reason": [None, 5, True, [], {}, "", "x" * 501],
        "reset_by": [5, {}, "", "x" * 256],
        "resolved_by": [5, "", "x" * 256],
        "completed_by": [5, "", "x" * 256],
        "completion_data": [5, "x", [], {}, {"metadata": {}}, {"result": 1, "metadata": []}],
    },
    "open an investigation": {"notes": [None, 5, [], {}, LONG]},
    "change an investigation": {
        "resolution_status": [5, [], "", "solved"],
        "resolution_notes": [5, [], {}, LONG],
        "resolved_by": [5, "", "x" * 256],
        "metadata": [5, "x", [], {"x": "y" * 65_536}],
    },
    "check a template": {"template": [None, 5, [], True]},
}
WRONG_FIELDS = [
    pytest.param(call, field, value, id=f"{call}, {field}: {str(value)[:20]}")
    for call, fields in WRONG.items()
    for field, values in fields.items()
    for value in values
]


@pytest.mark.parametrize(("name", "field", "value"), WRONG_FIELDS)
def test_a_field_of_a_wrong_kind_is_named(door, name, field, value):
    body = json.dumps({**CALLS[name][2], field: value}).encode()

    error = door.refuses(door.call(name, body), 400, "BAD_REQUEST")

    assert any(each["path"].startswith(field) for each in error["details"]), error
    assert len(error["message"]) < 1000


@pytest.mark.parametrize("name", [name for name in CALLS if name != "open an investigation"])
def test_an_object_without_what_is_required_is_refused(door, name):
    door.refuses(door.call(name, b'{"unknown": 1}'), 400, "BAD_REQUEST")


DEEP: dict[str, Callable[[Any], tuple[str, dict[str, Any]]]] = {
    "context": lambda x: ("create a task", {"context": {"x": x}}),
    "options": lambda x: ("create a task", {"options": {"x": x}}),
    "completion_data.result": lambda x: (
        "act on a step",
        {"action_type": "complete_manually", "completion_data": {"result": x}},
    ),
    "completion_data.metadata": lambda x: (
        "act on a step",
        {
            "action_type": "complete_manually",
            "completion_data": {"result": 1, "metadata": {"x": x}},
        },
    ),
    "metadata": lambda x: ("change an investigation", {"metadata": {"x": x}}),
}


@pytest.mark.parametrize("depth", [33, 300])
@pytest.mark.parametrize("place", DEEP)
def test_what_is_nested_too_deeply_is_refused_before_anything_recurses(door, place, depth):
    name, more = DEEP[place]("HOLE")
    text = json.dumps({**CALLS[name][2], **more}).replace('"HOLE"', "[" * depth + "]" * depth)

    error = door.refuses(door.call(name, text.encode()), 400, "BAD_REQUEST")

    assert [each["path"] for each in error["details"]] == [place]


@pytest.mark.parametrize("depth", [65, 300])
def test_a_template_that_is_nested_too_deeply_is_a_finding(door, depth):
    text = '{"template": {"x": ' + "[" * depth + "]" * depth + "}}"

    answer = door.call("check a template", text.encode())

    assert answer.status_code == 200
    assert [each["code"] for each in answer.json()["findings"]] == ["TOO_LARGE"]


def test_texts_are_kept_as_they_were_sent(door):
    words = "  <b>\ttwo lines\n\u202e\u00e9  "
    body = json.dumps({"resolution_notes": words, "resolved_by": " x "}).encode()

    assert door.call("change an investigation", body).status_code == 200

    entry = DlqEntry.objects.get(pk=door.world.entry_uuid)
    assert (entry.resolution_notes, entry.resolved_by) == (words, " x ")
