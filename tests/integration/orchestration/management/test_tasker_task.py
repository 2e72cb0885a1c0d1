"""`manage.py tasker task`: the same functions as the API, from the command line."""

import json
from functools import partial
from uuid import uuid4

import pytest

from orchestration.access.principals import principal_of_command_line
from orchestration.models import Task, TaskTransition
from orchestration.testing import TemplateFactory, linear
from tests import command_line
from tests.clusters import step
from tests.factories import ticks

pytestmark = pytest.mark.django_db

tasker = partial(command_line.tasker, "task")
WHY = "--reason=because"


@pytest.fixture
def template():
    """Register a template of two steps."""
    return TemplateFactory.create(template=linear(2))


def create(*arguments):
    return tasker("create", "--name=linear_2", "--namespace=test", *arguments)


def test_a_task_is_created_with_all_that_a_request_may_say(template, tmp_path):
    (tmp_path / "in.json").write_text('{"order": 7}')
    parent = uuid4()

    made = create(
        "--template-version=1.0.0",
        f"--input=@{tmp_path / 'in.json'}",
        "--priority=5",
        f"--parent={parent}",
        "--tag=a",
        "--tag=b",
        "--reason=trial",
        "--idempotency-key=k1",
    )

    me = principal_of_command_line().name
    assert made.code == 0
    assert made.body["context"] == {"order": 7}
    assert made.body["source_system"] == "cli"
    assert (made.body["initiator"], made.body["priority"]) == (me, 5)
    assert (made.body["tags"], made.body["reason"]) == (["a", "b"], "trial")
    assert made.body["parent_correlation_id"] == str(parent)
    assert len(made.body["steps"]) == 2
    assert TaskTransition.objects.earliest("created_at").actor == me


def test_the_same_request_finds_its_task_and_another_one_is_refused(template):
    first = create("--idempotency-key=k", "-i", "{}")

    again = create("--idempotency-key=k", "-i", "{}")
    other = create("--idempotency-key=k", "-i", '{"a": 1}')

    assert again.body["task_uuid"] == first.body["task_uuid"]
    assert "made this task before" in again.err
    assert (other.code, other.error["code"]) == (4, "CONFLICT")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--input=[1]"], 2, "holds no JSON object"),
        (["--input={"], 2, "holds no JSON"),
        (["--input=@/nowhere.json"], 2, "Cannot read /nowhere.json"),
        (["--priority=101"], 2, "priority"),
        (["--correlation-id=7"], 2, "is no UUID"),
        (["--template-version=9.9.9"], 3, "9.9.9"),
    ],
)
def test_a_bad_request_creates_nothing(template, arguments, code, told):
    ended = create(*arguments)

    assert (ended.code, ended.out) == (code, "")
    assert told in ended.err
    assert not Task.objects.exists()


def test_tasks_are_listed_by_every_filter_of_the_api(template):
    low = create("--priority=-3", "--tag=x").body["task_uuid"]
    high = create("--priority=3").body["task_uuid"]

    found = tasker("list", "--order=priority").body
    assert [each["task_uuid"] for each in found["tasks"]] == [low, high]
    assert found["pagination"]["per_page"] == 20
    for filters, expected in {
        ("--tag=x",): [low],
        ("--priority-min=1", "-s", "open"): [high],
        ("-n", "nowhere"): [],
        ("--template-version=1.0.0", "--page=2", "-l", "1"): [low],
        ("--status=complete,error",): [],
    }.items():
        body = tasker("list", *filters).body
        assert [each["task_uuid"] for each in body["tasks"]] == expected, filters
    assert tasker("list", "--context", "-l5").body["tasks"][0]["context"] == {}
    assert tasker("list", "--status=nope").error["details"][0]["path"] == "status"
    assert low in tasker("list", form="table").out


def test_one_task_and_its_steps_are_shown(template):
    task = create("-i", '{"secret": 1}').body["task_uuid"]
    ticks.run_step({"sum": 3})
    step_1 = step(task, "step_1")

    assert tasker("get", task).body["context"] == {"secret": 1}
    assert "secret" not in tasker("get", task, form="table").out
    assert "secret" in tasker("get", task, "--context", form="table").out
    assert [each["name"] for each in tasker("steps", task).body] == ["step_1", "step_2"]
    by_name, by_uuid = tasker("step", task, "step_1"), tasker("step", task, step_1.pk)
    assert by_name.body == by_uuid.body
    assert by_name.body["results"]["result"] == {"sum": 3}
    assert "sum" not in tasker("step", task, "step_1", form="table").out
    assert "sum" in tasker("steps", task, "--results", form="table").out
    assert tasker("step-audit", task, "step_1").body[0]["success"] is True
    assert tasker("step-audit", task, "step_2").err == "No attempt of this step has reported.\n"


def test_the_history_is_told_in_order_with_who_moved_what(template):
    task = create("--reason=trial").body["task_uuid"]
    tasker("cancel", task, WHY)

    moves = tasker("history", task).body
    of_task = tasker("history", task, "--subject=task").body

    assert [move["to_state"] for move in of_task][-1] == "cancelled"
    assert (of_task[-1]["reason"], of_task[-1]["actor"]) == (
        "because",
        principal_of_command_line().name,
    )
    assert {move["subject"] for move in moves} == {"task", "step"}
    assert [move["created_at"] for move in moves] == sorted(move["created_at"] for move in moves)


@pytest.mark.parametrize("verb", ["get", "steps", "history", "wait"])
def test_an_unknown_task_is_not_found(verb):
    ended = tasker(verb, uuid4())

    assert (ended.code, ended.error["code"]) == (3, "NOT_FOUND")


def test_a_step_of_another_task_is_not_found(template):
    mine, other = (create().body["task_uuid"] for _ in range(2))

    assert tasker("step", mine, step(other, "step_1").pk).code == 3
    assert tasker("step", mine, "nope").code == 3
    assert tasker("step", uuid4(), "step_1").code == 3


# ---------------------------------------------------------------- waiting


def test_waiting_ends_with_what_became_of_the_task(template):
    done, cancelled, open_task = (create().body["task_uuid"] for _ in range(3))
    tasker("resolve", done, WHY)
    tasker("cancel", cancelled, WHY)

    assert tasker("wait", done).code == 0
    assert tasker("wait", done, cancelled).code == 1
    late = tasker("wait", done, open_task, "--timeout=0")
    assert late.code == 6
    assert {each["is_resting"] for each in late.body} == {True, False}
    assert create("--wait", "0").code == 6


def test_a_blocked_task_rests_and_is_not_at_its_end():
    task = ticks.blocked().task_uuid

    assert tasker("wait", task, "--timeout=0").code == 1
    assert tasker("wait", task, "--timeout=0", "--until=terminal").code == 6


# ---------------------------------------------------------------- acting


def test_an_action_on_named_tasks_tells_about_each():
    blocked, other = ticks.blocked().task_uuid, uuid4()

    acted = tasker("retry", blocked, other, blocked, WHY, "--by=ann")

    assert acted.code == 3
    assert [(each["done"], each["code"]) for each in acted.body] == [
        (True, None),
        (False, "NOT_FOUND"),
    ]
    assert "1 of 2 tasks retried" in acted.err
    moves = tasker("history", blocked).body
    assert "because (acted_by: ann)" in {move["reason"] for move in moves}


@pytest.mark.parametrize(
    ("verb", "state"),
    [("give-up", "error"), ("resolve", "resolved_manually"), ("cancel", "cancelled")],
)
def test_a_refused_action_has_its_exit_code(verb, state):
    task = ticks.blocked().task_uuid

    assert tasker(verb, task, WHY).body[0]["state"] == state
    refused = tasker("give-up", task, uuid4(), WHY)

    assert (refused.code, {each["code"] for each in refused.body}) == (
        1,  # one refused, the other not found
        {"BAD_REQUEST", "NOT_FOUND"},
    )
    assert tasker("give-up", task, WHY).code == 4


def test_an_action_by_filters_only_tells_what_it_would_do_until_it_is_confirmed(template):
    tasks = [create("--tag=x").body["task_uuid"] for _ in range(3)]
    create()

    told = tasker("cancel", "--tag=x", "--limit=2", WHY)
    assert (told.code, len(told.body)) == (0, 2)
    assert "2 tasks would be cancelled; nothing was changed" in told.err
    assert "1 more match" in told.err
    assert not Task.objects.filter(state="cancelled").exists()

    done = tasker("cancel", "--tag=x", "--yes", WHY)
    assert [each["task_uuid"] for each in done.body] == tasks  # the oldest first
    assert Task.objects.filter(state="cancelled").count() == 3


def test_an_action_needs_tasks_or_filters_but_not_both_and_a_reason(template):
    assert tasker("cancel", WHY, "--yes").code == 2
    assert tasker("cancel", uuid4(), "--tag=x", WHY).code == 2
    assert tasker("cancel", uuid4()).code == 2
    assert tasker("cancel", uuid4(), "--reason=" + "x" * 501).code == 2


def test_a_step_is_acted_upon_by_name():
    task = ticks.blocked(linear(3)).task_uuid

    reset = tasker("reset-step", task, "step_1", WHY, "-b", "ann")
    assert (reset.code, reset.body["current_state"]) == (0, "enqueued")
    assert tasker("reset-step", task, "step_1", WHY).code == 4
    completed = tasker(
        "complete-step", task, "step_1", WHY, "--result", '{"sum": 4}', "--metadata", '{"a": 1}'
    )
    assert completed.body["results"]["result"] == {"sum": 4}
    assert completed.body["results"]["metadata"] == {"a": 1}
    resolved = tasker("resolve-step", task, "step_2", WHY)
    assert resolved.body["current_state"] == "resolved_manually"
    reasons = {move["reason"] for move in tasker("history", task, "--subject=step").body}
    assert "because (reset_by: ann)" in reasons


def test_a_result_that_is_too_large_is_refused_with_its_place(settings):
    settings.TASKER = {"max_result_bytes": 1024}
    task = ticks.blocked().task_uuid

    ended = tasker("complete-step", task, "step_1", WHY, "--result", json.dumps("x" * 1025))

    assert ended.code == 2
    assert ended.error["details"][0]["path"] == "result"
