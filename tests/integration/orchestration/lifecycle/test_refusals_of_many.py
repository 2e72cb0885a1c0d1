"""`create_tasks`: identities; what is refused is named by its place, and nothing is written."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from orchestration.client import create_task, create_tasks
from orchestration.errors import DuplicateTaskError, InvalidRequestError, NotFoundError
from orchestration.messaging import pgmq
from orchestration.models import Task
from orchestration.testing import TemplateFactory, linear
from templates_registry.models import NamedStep, NamedTaskStep
from tests.factories.ticks import run_to_the_end
from tests.races import overtake

pytestmark = pytest.mark.django_db
QUEUE = "worker_test_queue"


def request(name: str = "linear_4", **rest: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "test", **rest}


@pytest.fixture(autouse=True)
def _templates(_invariants):
    for template in (linear(4), linear(1, name="strict", identity_strategy="strict")):
        TemplateFactory.create(template=template)


# ------------------------------------------------------------ identity


def test_a_request_may_repeat_an_earlier_one_of_the_call():
    one, other, again = create_tasks(
        [request(idempotency_key="k"), request(), request(idempotency_key="k")]
    )

    assert again == one._replace(created=False)
    assert (one.created, other.created) == (True, True)
    assert Task.objects.count() == 2


def test_requests_that_were_made_before_find_their_tasks():
    first = create_task(**request(idempotency_key="k", context={"a": 1}))
    run_to_the_end()

    made = create_tasks([request(), request(idempotency_key="k", context={"a": 1})])

    assert made[0].created
    assert made[1] == first._replace(created=False, state="complete")


def test_the_same_call_twice_makes_its_tasks_once():
    requests = [request(idempotency_key=f"k {n}") for n in range(5)]

    first, second = create_tasks(requests), create_tasks(requests)

    assert second == [each._replace(created=False) for each in first]
    assert Task.objects.count() == 5


CONFLICTS: dict[str, list[dict[str, Any]]] = {
    "a key in the call": [
        request(idempotency_key="k", context={"a": 1}),
        request(),
        request(idempotency_key="k", context={"a": 2}),
    ],
    "a key before": [request(), request(), request(idempotency_key="before", context={"a": 2})],
    "a context in the call": [
        request("strict", context={"a": 1}),
        request(),
        request("strict", context={"a": 1}),
    ],
    "a context before": [request(), request(), request("strict", context={"before": 1})],
}


@pytest.mark.parametrize("requests", CONFLICTS.values(), ids=CONFLICTS)
def test_another_request_with_the_same_identity_is_refused_by_its_place(requests):
    create_task(**request(idempotency_key="before", context={"a": 1}))
    create_task(**request("strict", context={"before": 1}))

    with pytest.raises(DuplicateTaskError, match=r"^tasks\[2\]: Cannot create") as refusal:
        create_tasks(requests)

    assert [problem.path for problem in refusal.value.problems] == ["tasks[2]"]
    assert Task.objects.count() == 2
    assert pgmq.metrics(QUEUE).depth == 2


@pytest.mark.django_db(transaction=True)
def test_calls_with_the_same_keys_in_different_order_do_not_wait_for_each_other():
    keys = [f"k {n}" for n in range(30)]

    first, second = overtake(
        lambda: create_tasks(request(idempotency_key=key) for key in keys),
        lambda: create_tasks(request(idempotency_key=key) for key in reversed(keys)),
    )

    assert [each.task_uuid for each in second] == [each.task_uuid for each in reversed(first)]
    assert {each.created for each in second} == {False}
    assert Task.objects.count() == 30


# ------------------------------------------------------------ all or nothing

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a priority": (request(priority=101), "tasks[1].priority"),
    "a tag": (request(tags=["ok", "x" * 129]), "tasks[1].tags[1]"),
    "a step": (request(bypass_steps=["nothing"]), "tasks[1].bypass_steps[0]"),
    "a context": (request("checked", context={"n": "x"}), "tasks[1].context.n"),
    "no key": (request("careful"), "tasks[1].idempotency_key"),
    "no name": ({"namespace": "test"}, "tasks[1].name"),
}


@pytest.fixture
def strict_templates():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    for template in (
        linear(1, name="checked", validate_input=True, input_schema=schema),
        linear(1, name="careful", identity_strategy="caller_provided"),
    ):
        TemplateFactory.create(template=template)


@pytest.mark.usefixtures("strict_templates")
@pytest.mark.parametrize(("wrong", "path"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_named_and_nothing_is_written(wrong, path):
    with pytest.raises(InvalidRequestError, match=r"^tasks\[1\]: Cannot create") as refusal:
        create_tasks([request(), wrong, request()])

    assert [problem.path for problem in refusal.value.problems] == [path]
    assert not Task.objects.exists()
    assert pgmq.metrics(QUEUE).depth == 0


def test_what_is_wrong_with_several_requests_is_told_at_once():
    with pytest.raises(InvalidRequestError) as refusal:
        create_tasks([request(priority=101), request(), request(tags=5, reason=5)])

    paths = [problem.path for problem in refusal.value.problems]
    assert paths == ["tasks[0].priority", "tasks[2].reason", "tasks[2].tags"]
    assert "tasks[0]" in str(refusal.value)


def test_a_thousand_wrong_requests_are_told_in_a_hundred_lines():
    with pytest.raises(InvalidRequestError) as refusal:
        create_tasks([request(priority=101)] * 1000)

    assert len(refusal.value.problems) == 100


def test_an_unknown_template_is_named_with_its_place():
    with pytest.raises(NotFoundError, match=r"^tasks\[1\]: .*linear_4") as refusal:
        create_tasks([request(), request("linear_44")])

    assert [problem.path for problem in refusal.value.problems] == ["tasks[1]"]
    assert not Task.objects.exists()


def test_an_unknown_keyword_is_refused():
    with pytest.raises(TypeError, match=r"prio \(tasks\[1\]\)"):
        create_tasks([request(), request(prio=1)])


def test_a_caller_may_go_on_after_a_refusal_without_half_of_the_tasks():
    create_task(**request(idempotency_key="k", context={"a": 1}))

    with transaction.atomic():
        with pytest.raises(DuplicateTaskError):
            create_tasks([request(), request(idempotency_key="k")])
        create_tasks([request()] * 2)

    assert Task.objects.count() == 3


def test_a_template_whose_step_types_are_gone_is_refused_in_words():
    gone = NamedStep.objects.get(name="step_2", template_steps__named_task__name="linear_4")
    NamedTaskStep.objects.filter(named_step=gone).delete()
    gone.delete()

    with (
        pytest.raises(DatabaseError, match=r"3 of its 4 steps .* run sync_templates"),
        transaction.atomic(),
    ):
        create_tasks([request()] * 2)
