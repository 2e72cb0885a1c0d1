"""How a request is recognised, engine.md 11."""

from typing import Any
from uuid import uuid4

import pytest

from orchestration.errors import InvalidRequestError
from orchestration.lifecycle.identity import fingerprint, identity_hash
from orchestration.lifecycle.task_request import TaskRequest

TEMPLATE = uuid4()


def identity(**changes):
    given: dict[str, Any] = {
        "strategy": "always_unique",
        "namespace": "shop",
        "name": "order",
        "named_task_uuid": TEMPLATE,
        "context": {"a": 1, "b": [1, 2]},
        "idempotency_key": None,
    }
    return identity_hash(**given | changes)


def test_identity_is_fresh_each_time_when_always_unique_without_key():
    assert identity() != identity()


@pytest.mark.parametrize("strategy", ["always_unique", "strict", "caller_provided"])
def test_identity_follows_the_key_alone_when_one_is_given(strategy):
    first = identity(strategy=strategy, idempotency_key="k")

    assert first == identity(strategy=strategy, idempotency_key="k", context={})
    assert first == identity(strategy=strategy, idempotency_key="k", named_task_uuid=uuid4())
    assert first != identity(strategy=strategy, idempotency_key="other")
    assert first != identity(strategy=strategy, idempotency_key="k", namespace="other")
    assert first != identity(strategy=strategy, idempotency_key="k", name="other")


def test_identity_follows_template_and_context_when_strict():
    first = identity(strategy="strict")

    assert first == identity(strategy="strict", context={"b": [1, 2], "a": 1})
    assert first != identity(strategy="strict", context={"a": 1, "b": [2, 1]})
    assert first != identity(strategy="strict", named_task_uuid=uuid4())


def test_identity_is_refused_without_key_when_the_caller_must_provide_it():
    with pytest.raises(InvalidRequestError) as refusal:
        identity(strategy="caller_provided")

    assert [problem.path for problem in refusal.value.problems] == ["idempotency_key"]


def same(**changes):
    request: dict[str, Any] = {"name": "order", "namespace": "shop", "context": {"a": 1}}
    return fingerprint(TaskRequest.parse(request | changes).sameness())


@pytest.mark.parametrize(
    "changes",
    [
        {"correlation_id": str(uuid4())},
        {"requested_at": "2020-01-01T00:00:00Z"},
        {"initiator": "somebody"},
        {"source_system": "till"},
        {"reason": "because"},
        {"idempotency_key": "k"},
    ],
)
def test_request_stays_the_same_when_only_its_circumstances_change(changes):
    assert same(**changes) == same()


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "1.0.0"},
        {"context": {"a": 2}},
        {"priority": 1},
        {"tags": ["x"]},
        {"bypass_steps": ["x"]},
        {"options": {"x": 1}},
        {"parent_correlation_id": str(uuid4())},
        {"name": "other"},
        {"namespace": "other"},
    ],
)
def test_request_is_another_one_when_what_is_wanted_changes(changes):
    assert same(**changes) != same()
