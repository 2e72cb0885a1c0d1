"""Small pieces of the pages: cells, attempts, forms from schemas, commands, looks of values."""

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django import forms
from django.test import RequestFactory

import orchestration
from orchestration.admin.attempts import attempts_of
from orchestration.admin.copying import creation_commands
from orchestration.admin.display import BADGES, age, is_cut, json_block, state_badge
from orchestration.admin.export import cell
from orchestration.admin.input_form import context_of, fields_of, skeleton
from orchestration.admin.queues import RateMeter
from orchestration.queries.queue_table import QueueRow
from orchestration.queries.step_page import StepMove
from orchestration.queries.task_page import TaskDetails
from orchestration.states import StepState, TaskState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CSS = Path(orchestration.__file__).parent / "static/orchestration/admin.css"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_cell_that_would_be_a_formula_gets_a_quote(text):
    assert cell(text) == f"'{text}"


def test_other_cells_are_as_they_are():
    assert [cell(value) for value in ("a=1", None, 7, "")] == ["a=1", "", "7", ""]


# ------------------------------------------------------------ attempts


def move(n: int, before: str | None, to: str, attempt: int, **rest) -> StepMove:
    return StepMove(
        NOW + timedelta(seconds=n),
        n,
        before,
        to,
        rest.pop("event", "moved"),
        None,
        None,
        rest.pop("worker_uuid", None),
        rest.pop("worker", None),
        attempt,
        {},
        rest.pop("success", None),
        rest.pop("ms", None),
        rest.pop("error_type", None),
    )


def test_attempts_are_put_together_from_moves():
    worker = uuid4()
    reported = "enqueued_as_error_for_orchestration"
    moves = [
        move(1, None, "pending", 0),
        move(2, "pending", "enqueued", 0),
        move(3, "enqueued", "in_progress", 1, worker="w-1"),
        move(5, "in_progress", "enqueued", 1, event="worker_lost"),
        move(6, "enqueued", "in_progress", 2, worker_uuid=worker),
        move(8, "in_progress", reported, 2, success=False, ms=1500, error_type="timeout"),
        move(9, reported, "waiting_for_retry", 2),
        move(10, "pending", "in_progress", 3),
    ]

    third, second, first = attempts_of(moves[::-1])

    assert (first.worker, first.outcome, first.duration) == ("w-1", "worker lost", "2s")
    assert (second.worker, second.outcome) == (str(worker)[-8:], "failure")
    assert (second.error_type, second.execution_ms) == ("timeout", 1500)
    assert (third.outcome, third.ended_at, third.duration) == ("running", None, "")


def test_a_history_whose_beginning_is_missing_is_no_problem():
    assert attempts_of([move(5, "in_progress", "complete", 1, success=True)]) == []


# ------------------------------------------------------------ forms from schemas

SCHEMA = {
    "type": "object",
    "required": ["order_id", "size"],
    "properties": {
        "order_id": {"type": "string", "title": "Order", "description": "its number"},
        "size": {"enum": ["small", "large", 3]},
        "count": {"type": "integer", "default": 2},
        "price": {"type": "number"},
        "gift": {"type": "boolean"},
        "items": {"type": "array", "items": {"type": "object", "properties": {"sku": {}}}},
        "odd": True,
    },
}


def filled(data: dict[str, str]) -> tuple[forms.Form, dict[str, forms.Field]]:
    fields = fields_of(SCHEMA)
    form = type("Filled", (forms.Form,), dict(fields))(data)
    return form, fields


def test_fields_are_those_of_the_schema():
    fields = fields_of(SCHEMA)

    kinds = {name: type(field).__name__ for name, field in fields.items()}
    assert kinds == {
        "context_order_id": "CharField",
        "context_size": "TypedChoiceField",
        "context_count": "IntegerField",
        "context_price": "FloatField",
        "context_gift": "BooleanField",
        "context_items": "JsonField",
        "context_odd": "JsonField",
    }
    assert fields["context_order_id"].label == "Order"
    assert fields["context_count"].initial == 2
    assert [name for name, field in fields.items() if field.required] == [
        "context_order_id",
        "context_size",
    ]


def test_what_is_filled_in_becomes_a_context_of_the_right_types():
    form, fields = filled(
        {
            "context_order_id": "0042",
            "context_size": "3",
            "context_count": "5",
            "context_items": '[{"sku": "a"}]',
            "context_gift": "on",
        }
    )

    assert form.is_valid(), form.errors
    assert context_of(form.cleaned_data, fields) == {
        "order_id": "0042",
        "size": 3,
        "count": 5,
        "items": [{"sku": "a"}],
        "gift": True,
    }


@pytest.mark.parametrize("schema", [None, {}, {"type": "object"}, {"properties": {}}])
def test_a_schema_without_properties_makes_one_field_of_json(schema):
    fields = fields_of(schema)

    assert list(fields) == ["context"]
    assert context_of({"context": None}, fields) == {}


def test_a_skeleton_has_the_shape_of_its_schema():
    said = {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"properties": {"n": {"type": "integer"}}}},
            "kind": {"enum": ["a", "b"]},
            "note": {"type": "string", "default": "x"},
        },
    }

    assert skeleton(said) == {"items": [{"n": 0}], "kind": "a", "note": "x"}
    assert skeleton({"properties": {"again": said}}, depth=9) is None


# ------------------------------------------------------------ commands to copy


def test_commands_are_quoted_for_the_shell():
    nasty = "'; rm -rf / #$(id)`id`\n\""
    fields: dict[str, Any] = dict.fromkeys(TaskDetails._fields)
    fields |= {"namespace": "shop", "name": nasty, "version": "1.0.0", "priority": 5}
    details = TaskDetails(**fields | {"context": {"text": nasty}, "tags": [nasty]})
    request = RequestFactory().get("/", headers={"host": "testserver"})

    curl, cli = creation_commands(request, details)

    words = shlex.split(curl)
    assert words[:4] == ["curl", "-X", "POST", "http://testserver/v1/tasks"]
    assert json.loads(words[-1])["name"] == nasty
    assert '"Authorization: Bearer $TASKER_API_KEY"' in curl
    words = shlex.split(cli)
    assert words[words.index("--name") + 1] == nasty
    assert json.loads(words[words.index("-i") + 1]) == {"text": nasty}
    assert words[words.index("--tag") + 1] == nasty


# ------------------------------------------------------------ looks


def test_every_state_has_icon_and_colour():
    for state in [*TaskState, *StepState]:
        badge = state_badge(state)
        assert "? " not in badge
        assert state.value in BADGES
    assert "?" in state_badge("<unheard of>")
    assert "<unheard" not in state_badge("<unheard of>")


def test_json_is_coloured_and_escaped():
    shown = json_block({"<k>": ["</pre>", 1.5, None, 'a"b']})

    assert '<span class="k">&quot;&lt;k&gt;&quot;</span>' in shown
    assert "</pre>&" not in shown.replace("</pre>", "", shown.count("</pre>") - 1)
    assert '<span class="n">1.5</span>' in shown
    assert '<span class="n">null</span>' in shown
    assert "&lt;/pre&gt;" in shown


def test_a_long_json_is_cut():
    value = {"a": "x" * 200_000}

    assert is_cut(value)
    assert "more characters" in json_block(value)
    assert len(json_block(value)) < 110_000
    assert not is_cut(None)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(5, "5s"), (65, "1 min 5 s"), (3600, "1 h"), (90_000, "1 d 1 h"), (86_400 * 3, "3 d")],
)
def test_lengths_are_said_in_two_units(seconds, said):
    assert age(NOW, until=NOW + timedelta(seconds=seconds)) == said


def test_rates_come_from_two_looks(monkeypatch):
    clock = iter([0.0, 1.0, 5.0])
    monkeypatch.setattr("orchestration.admin.queues.time.monotonic", lambda: next(clock))
    meter = RateMeter()

    def look(sent: int, taken: int):
        return meter.look([QueueRow("q", 0, 0, None, sent, taken, 0)])

    assert look(100, 50) == {}
    assert look(999, 999) == {}  # too soon to say
    assert look(150, 60)["q"] == (10.0, 2.0)


def luminance(colour: str) -> float:
    value = colour.lstrip("#")
    value = "".join(c * 2 for c in value) if len(value) == 3 else value
    parts = [int(value[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1])
def test_every_text_stands_out_from_its_ground(theme):
    blocks = re.findall(r"\{([^}]*--tk-line[^}]*)\}", CSS.read_text())
    colours = dict(re.findall(r"--tk-([\w-]+): (#\w+)", blocks[theme]))
    names = ("grey", "blue", "cyan", "yellow", "red", "green", "violet")
    pairs = [(colours[name], colours[f"on-{name}"]) for name in names]
    grounds = (colours["ground"], colours["soft"])
    words = ("text", "dim", "link", "good", "bad", "warn")
    pairs += [(ground, colours[word]) for ground in grounds for word in words]
    pairs += [(colours["button"], "#fff"), (colours["danger"], "#fff")]

    for ground, text in pairs:
        light, dark = sorted((luminance(ground), luminance(text)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ground, text)
