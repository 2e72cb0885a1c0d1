"""The page of one step, and the form that finishes it by hand."""

import json

import pytest

from orchestration.models import WorkflowStep
from orchestration.testing import diamond, shape
from tests.factories.ticks import assert_invariants, fail_step, run_step, start

pytestmark = pytest.mark.django_db
STEPS = "/admin/orchestration/workflowstep/"
SCHEMA = {"type": "object", "required": ["paid"], "properties": {"paid": {"type": "boolean"}}}


@pytest.fixture
def failed() -> WorkflowStep:
    """Return a step that failed for good and whose result has a schema."""
    template = shape(
        "payment",
        {"charge": [], "ship": ["charge"]},
        steps={
            "charge": {
                "result_schema": SCHEMA,
                "retry": {"max_attempts": 4, "backoff": "exponential", "backoff_base_ms": 500},
            }
        },
    )
    start(template)
    fail_step(retryable=False)
    return WorkflowStep.objects.get(name="charge")


def complete(client, step, **body):
    given = {"result": '{"paid": true}', "reason": "by phone", **body}
    return client.post(f"{STEPS}{step.pk}/complete/", given)


def test_a_step_shows_attempts_error_policy_neighbours_and_history(boss, failed):
    page = boss.get(f"{STEPS}{failed.pk}/change/").content.decode()

    for text in (
        "handler_error",
        "test.echo",
        "exponential from 500 ms",
        "0.5 s",
        "1.0 s",
        "2.0 s",
        "before",
        "ship",
        "enqueue_as_error_for_orchestration",
        "Complete by hand",
    ):
        assert text in page, text


def test_data_of_a_step_can_be_downloaded(boss, failed):
    got = boss.get(f"{STEPS}{failed.pk}/data/results/")

    assert json.loads(got.content)["error"]["message"] == "no"
    assert boss.get(f"{STEPS}{failed.pk}/data/password/").status_code == 404


def test_a_step_is_completed_with_a_result_that_its_children_see(boss, failed):
    answer = complete(boss, failed, metadata='{"ticket": 7}')

    failed.refresh_from_db()
    assert answer.headers["Location"] == f"{STEPS}{failed.pk}/change/"
    assert (failed.state, failed.results["result"]) == ("complete", {"paid": True})
    assert failed.results["metadata"] == {"ticket": 7}
    assert WorkflowStep.objects.get(name="ship").state == "enqueued"
    assert_invariants()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"result": "{"}, "Enter a valid JSON"),
        ({"result": '{"paid": "yes"}'}, "$.paid: &#x27;yes&#x27; is not of type"),
        ({"result": "{}"}, "&#x27;paid&#x27; is a required property"),
        ({"reason": " "}, "This field is required"),
        ({"metadata": "[1]"}, "must be a JSON object"),
    ],
)
def test_a_result_that_does_not_fit_changes_nothing(boss, failed, given, told):
    page = complete(boss, failed, **given).content.decode()

    assert told in page
    failed.refresh_from_db()
    assert failed.state == "error"


def test_a_step_that_moved_meanwhile_is_refused_with_its_state(boss, failed):
    complete(boss, failed)

    page = complete(boss, failed).content.decode()

    assert "Cannot complete step &#x27;charge&#x27;: state is complete" in page


def test_completing_needs_its_permission(client, grant, failed):
    client.force_login(grant("steps_read"))

    assert complete(client, failed).status_code == 403
    assert "Complete by hand" not in client.get(f"{STEPS}{failed.pk}/change/").content.decode()


def test_parents_and_children_are_linked(boss):
    start(diamond())
    run_step()
    join = WorkflowStep.objects.get(name="join")

    page = boss.get(f"{STEPS}{join.pk}/change/").content.decode()

    for name in ("left", "right"):
        parent = WorkflowStep.objects.get(name=name)
        assert f"{STEPS}{parent.pk}/change/" in page
    assert page.count("waits for") == 2
