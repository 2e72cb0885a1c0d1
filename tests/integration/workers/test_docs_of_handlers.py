"""docs/handlers.md is true: its code runs and does what the text says.

The blocks of the page are one module, executed in order; the one about the workflow `tea` is for
`test_docs_of_testing`.
"""

import re
from collections.abc import Callable
from io import StringIO
from types import ModuleType
from typing import Any

import httpx
import pytest
from django.core.management import get_commands, load_command_class

from templates_registry.schema import load_text
from tests.processes import PROJECT
from workers.testing import run_handler, run_inline

CHAPTER = (PROJECT / "docs" / "handlers.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RESERVED = {"reserve": {"reservation_id": "R-1", "total": 9.5}}


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(CHAPTER) if found == language]


@pytest.fixture(scope="module")
def chapter() -> ModuleType:
    module = ModuleType("readme_chapter")
    for text in blocks("python"):
        if "tea" not in text:
            exec(compile(text, "handlers.md", "exec"), vars(module))  # noqa: S102 - what it says
    return module


@pytest.fixture
def run(chapter: ModuleType) -> Callable[..., Any]:
    """Return `run(name, **what a context is made of)` for the handlers of the chapter."""
    return lambda name, **parts: run_handler(getattr(chapter, name), **parts)


def test_the_chapter_has_blocks():
    assert len(blocks("python")) == 8
    assert len([text for text in blocks("python") if "tea" in text]) == 1
    assert len(BLOCK.findall(CHAPTER)) == CHAPTER.count("\n```") / 2


def test_functions_get_inputs_and_earlier_results(run):
    reserved = run("reserve", inputs={"sku": "TEA", "quantity": 2})
    charged = run("charge", inputs={"card": "4000"}, dependencies=RESERVED, step="charge")

    assert reserved.result == {"reservation_id": "R-TEA", "total": 19.0}
    assert charged.result["paid"] == 9.5
    assert charged.result["key"].endswith(":charge")


def test_errors_become_what_the_table_says(run):
    slow = run("charge", inputs={"card": "slow"}, dependencies=RESERVED)
    second = run("charge", inputs={"card": "slow"}, dependencies=RESERVED, attempt=2)
    bad_input = run("reserve", inputs={"quantity": "many"})
    bad_result = run("charge", inputs={"card": "x"}, dependencies={"reserve": {"total": "?"}})

    assert (slow.is_success, slow.retryable, slow.metadata["retry_after"]) == (False, True, 5)
    assert second.is_success
    assert (bad_input.retryable, bad_input.error_code) == (False, "INPUT_VALIDATION_FAILED")
    assert bad_result.error_code == "DEPENDENCY_VALIDATION_FAILED"


def test_a_class_succeeds_and_fails(run):
    good = run("Refund", inputs={"amount": 1}, dependencies={"charge": {"paid": 9.5}})
    bad = run("Refund")

    assert good.result == {"refunded": 9.5}
    assert (bad.error_code, bad.retryable) == ("NO_AMOUNT", False)


@pytest.mark.parametrize(("total", "branch"), [(9.5, "charge"), (900, "send_invoice"), (0, None)])
def test_a_decision_takes_its_branch(run, total, branch):
    result = run(
        "choose_payment", dependencies={"reserve": {"reservation_id": "R", "total": total}}
    )

    outcome = result.result["decision_point_outcome"]
    assert outcome.get("step_names") == ([branch] if branch else None)


@pytest.mark.django_db
@pytest.mark.parametrize(("quantity", "taken"), [(1, "charge"), (100, "send_invoice")])
def test_a_workflow_takes_the_branch_that_its_decision_names(chapter, quantity, taken):
    [steps] = [text for text in blocks("yaml") if text.startswith("steps:")]
    others: dict[str, Any] = dict.fromkeys(["shop.send_invoice", "shop.close"], lambda _: {})
    handlers = {f"shop.{name}": getattr(chapter, name) for name in ("reserve", "charge")}
    handlers["shop.choose_payment"] = chapter.choose_payment

    done = run_inline(
        f"name: order\nnamespace_name: shop\nversion: 1.0.0\n{steps}",
        {"sku": "TEA", "quantity": quantity, "card": "4000"},
        handlers={**handlers, **others},
    )

    done.assert_complete()
    assert list(done.steps) == ["reserve", "choose_payment", taken, "close"]


def test_batches_are_counted_and_summed_up(run):
    counted = run("count_rows", inputs={"rows": ["row"] * 2500})
    results = {f"import_rows_00{number}": {"imported": number} for number in (1, 2, 3)}

    assert counted.result["worker_count"] == 3
    assert run("sum_up", dependencies=results).result == {"imported": 6}


def test_the_tests_of_the_chapter_pass(chapter):
    tests = [value for name, value in vars(chapter).items() if name.startswith("test_")]

    assert len(tests) == 2
    for test in tests:
        test()


def test_events_are_declared_as_templates_want_them():
    [events] = [text for text in blocks("yaml") if "publishes_events" in text]
    lines = "".join(f"    {line}\n" for line in events.splitlines())
    text = "name: order\nnamespace: shop\nversion: 1.0.0\nsteps:\n"

    template = load_text(f"{text}  - name: charge\n    handler: {{callable: shop.charge}}\n{lines}")

    assert [each.delivery_mode for each in template.steps[0].publishes_events] == [
        "durable",
        "fast",
    ]


def test_a_subscriber_prints_what_it_hears(chapter, capsys):
    chapter.Mailer().handle({"event_name": "order.charged", "payload": {"paid": 9.5}})

    assert capsys.readouterr().out == "order.charged: {'paid': 9.5}\n"


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {}, (True, {"rate": 1.1}, None)),
        (429, {"Retry-After": "7"}, (True, None, 7)),
        (404, {}, (False, None, None)),
    ],
)
def test_an_answer_becomes_a_result(run, chapter, monkeypatch, status, headers, expected):
    answer = httpx.Response(status, headers=headers, json={"rate": 1.1})
    transport = httpx.MockTransport(lambda request: answer)
    client = httpx.Client(base_url="https://rates.example", transport=transport)
    monkeypatch.setattr(chapter.ask_rate._handler_class, "build_client", lambda self: client)

    result = run("ask_rate", inputs={"currency": "EUR"})

    retry_after = result.metadata.get("retry_after_seconds")
    assert (result.retryable, result.result or None, retry_after) == expected


@pytest.mark.parametrize("usage", re.findall(r"`manage\.py (\w+[^`]*)`", CHAPTER))
def test_commands_take_what_the_chapter_says(usage):
    name, *words = usage.split()
    text = StringIO()

    load_command_class(get_commands()[name], name).create_parser("manage.py", name).print_help(text)

    for option in re.findall(r"--?[a-z][a-z-]*", " ".join(words)):
        assert option in text.getvalue()
