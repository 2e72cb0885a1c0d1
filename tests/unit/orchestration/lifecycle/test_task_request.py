"""A request for a task is checked once: every limit and alias of api-and-operations.md 1.4."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orchestration.errors import InvalidRequestError
from orchestration.lifecycle.task_request import TaskRequest


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def paths_refused(body: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidRequestError) as refusal:
        TaskRequest.parse({"name": "order"} | body)
    return [problem.path for problem in refusal.value.problems]


def test_name_alone_is_enough():
    request = TaskRequest.parse({"name": "order"})

    assert (request.namespace, request.version, request.context) == ("default", None, {})
    assert (request.priority, request.initiator, request.source_system) == (0, "unknown", "api")


def test_spellings_of_the_published_readme_are_understood():
    request = TaskRequest.parse({"template_name": "order", "configuration": {"a": 1}})

    assert (request.name, request.context) == ("order", {"a": 1})


def test_both_spellings_may_be_given_when_they_agree():
    assert TaskRequest.parse({"name": "order", "template_name": "order"}).name == "order"
    assert paths_refused({"template_name": "other"}) == ["template_name"]


def test_null_counts_as_absent():
    request = TaskRequest.parse({"name": "order", "priority": None, "context": None})

    assert (request.priority, request.context) == (0, {})


def test_repeated_tags_and_bypassed_steps_are_named_once():
    request = TaskRequest.parse({"name": "o", "tags": ["b", "a", "b"], "bypass_steps": ["x", "x"]})

    assert (request.tags, request.bypass_steps) == (["b", "a"], ["x"])


def test_unknown_keys_are_ignored():
    assert TaskRequest.parse({"name": "order", "colour": "red"}).name == "order"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"namespace": "With Blanks"}, "namespace"),
        ({"version": 1}, "version"),
        ({"context": []}, "context"),
        ({"context": "{}"}, "context"),
        ({"context": nested(33)}, "context"),
        ({"context": {"a": "\x00"}}, "context"),
        ({"context": {"\x00": 1}}, "context"),
        ({"context": {"a": ["\ud800"]}}, "context"),
        ({"context": {"a": float("nan")}}, "context"),
        ({"context": {"a": float("inf")}}, "context"),
        ({"context": {"a": object()}}, "context"),
        ({"context": {"a": "x" * 1_048_577}}, "context"),
        ({"options": {"a": "x" * 65_537}}, "options"),
        ({"tags": ["x" * 129]}, "tags[0]"),
        ({"tags": [str(n) for n in range(51)]}, "tags"),
        ({"tags": "x"}, "tags"),
        ({"priority": 101}, "priority"),
        ({"priority": -101}, "priority"),
        ({"priority": "5"}, "priority"),
        ({"priority": True}, "priority"),
        ({"reason": "x" * 501}, "reason"),
        ({"initiator": ""}, "initiator"),
        ({"correlation_id": "x"}, "correlation_id"),
        ({"requested_at": "2026-01-01T00:00:00"}, "requested_at"),
        (
            {"requested_at": (timezone.now() + timedelta(hours=2)).isoformat()},
            "requested_at",
        ),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"idempotency_key": "x" * 256}, "idempotency_key"),
        ({"bypass_steps": [1]}, "bypass_steps[0]"),
    ],
)
def test_wrong_value_is_refused_with_its_place(body, path):
    assert paths_refused(body) == [path]


def test_all_problems_are_told_together():
    assert paths_refused({"priority": 1000, "tags": [1], "name": None}) == [
        "name",
        "tags[0]",
        "priority",
    ]


@pytest.mark.parametrize("context", [nested(32), {"a": "x" * 1_048_500}, {"ü": "🎉", "n": -0.0}])
def test_context_just_within_the_limits_is_kept_unchanged(context):
    assert TaskRequest.parse({"name": "order", "context": context}).context == context
