"""The lists of tasks and steps: filters, chips, search, order, counts at a bounded price."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from orchestration.models import DlqEntry
from orchestration.queries import counting
from orchestration.testing import StepFactory, TaskFactory, TemplateFactory, diamond, linear

pytestmark = pytest.mark.django_db
TASKS = "/admin/orchestration/task/"
STEPS = "/admin/orchestration/workflowstep/"


def found(client: Client, path: str, **query: str) -> set[UUID]:
    return {each.pk for each in client.get(path, query).context["cl"].result_list}


def test_a_task_is_found_by_whatever_names_it(boss):
    flow, parent = uuid4(), uuid4()
    task = TaskFactory.create(
        tags=["blue"], idempotency_key="key-1", correlation_id=flow, parent_correlation_id=parent
    )
    TaskFactory(named_task=TemplateFactory.create(template=diamond()))
    uuid = str(task.pk)

    for word in (uuid, uuid[-8:], uuid[-8:].upper(), str(flow), str(parent), str(flow)[:13]):
        assert found(boss, TASKS, q=word) == {task.pk}, word
    for word in ("blue", "linear_1", " linear_1 "):
        assert found(boss, TASKS, q=word) == {task.pk}, word
    for word in ("no such thing", "%00", "z" * 300, "key-1"):
        assert found(boss, TASKS, q=word) == set(), word
    assert found(boss, TASKS, q="key-1", template="linear_1") == {task.pk}
    assert len(found(boss, TASKS, q=uuid[:8])) == 2


def test_a_step_is_found_by_its_name_and_its_task(boss):
    step = StepFactory.create(name="charge_card")
    StepFactory(name="other")

    for word in ("charge", str(step.pk), str(step.pk)[-8:], str(step.task_id)):
        assert found(boss, STEPS, q=word) == {step.pk}, word


@pytest.mark.parametrize(
    ("query", "states"),
    [
        ({"group": "open"}, {"pending"}),
        ({"group": "terminal"}, {"complete", "error"}),
        ({"state": "error"}, {"error"}),
        ({"state": ["error", "pending"]}, {"error", "pending"}),
        ({"group": "nonsense"}, {"pending", "complete", "error"}),
        ({"state": "error", "group": "open"}, set()),
    ],
)
def test_the_list_is_narrowed_to_states(boss, query, states):
    for state in ("pending", "complete", "error"):
        TaskFactory(state=state)

    rows = boss.get(TASKS, query).context["cl"].result_list

    assert {task.state for task in rows} == states


def test_every_other_filter_keeps_what_it_says(boss):
    now = timezone.now()
    special = linear(2, name="special", namespace="billing", version="2.0.0")
    template = TemplateFactory.create(template=special)
    wanted = TaskFactory.create(
        named_task=template,
        tags=["vip", "eu"],
        initiator="shop",
        source_system="web",
        created_at=now - timedelta(days=3),
        updated_at=now - timedelta(days=2),
    )
    StepFactory(task=wanted, state="error")
    DlqEntry.objects.create(task=wanted, dlq_reason="manual_dlq")
    other = TaskFactory.create()
    DlqEntry.objects.create(task=other, dlq_reason="manual_dlq", resolution_status="cancelled")
    yesterday = f"{now - timedelta(days=1):%Y-%m-%dT%H:%M}"
    days_ago = f"{now - timedelta(days=5):%Y-%m-%dT%H:%M:%S}"

    for query in (
        {"namespace": "billing"},
        {"template": "special"},
        {"version": "2.0.0"},
        {"tag": "vip"},
        {"initiator": "shop"},
        {"source": "web"},
        {"created_until": yesterday},
        {"created_from": days_ago, "created_until": yesterday},
        {"updated_from": days_ago, "updated_until": yesterday},
        {"dlq": "on"},
        {"failed": "on"},
        {"namespace": "billing", "tag": "eu", "failed": "on", "q": "special"},
    ):
        assert found(boss, TASKS, **query) == {wanted.pk}, query
    assert found(boss, TASKS, tag="vip", initiator="nobody") == set()


def test_a_filter_that_cannot_be_read_is_shown_as_wrong(boss):
    TaskFactory()

    page = boss.get(TASKS, {"created_from": "yesterday"}).content.decode()

    assert "Enter a valid date/time" in page


def test_a_parameter_that_nobody_knows_is_not_swallowed(boss):
    answer = boss.get(TASKS, {"sttae": "error"})

    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("?e=1")


def test_chips_count_by_state_over_the_rest_of_the_filter(boss):
    for state in ("pending", "pending", "error"):
        TaskFactory(state=state, tags=["a"])
    TaskFactory(state="pending", tags=["b"])

    listed = boss.get(TASKS, {"tag": "a", "state": "error"}).context["cl"]

    chips = {chip["state"]: chip for chip in listed.chips()}
    assert (chips["pending"]["count"], chips["error"]["count"], chips["complete"]["count"]) == (
        2,
        1,
        0,
    )
    assert [state for state, chip in chips.items() if chip["is_chosen"]] == ["error"]
    assert chips["pending"]["address"] == "?state=error&state=pending&tag=a"
    assert chips["error"]["address"] == "?tag=a"
    assert listed.result_count == 1


def test_above_the_limit_numbers_are_guesses_and_say_so(boss, monkeypatch):
    monkeypatch.setattr(counting, "MOST_COUNTED", 3)
    for n in range(6):
        TaskFactory(state="error" if n < 5 else "pending")

    answer = boss.get(TASKS)
    listed = answer.context["cl"]
    narrowed = boss.get(TASKS, {"state": "pending"}).context["cl"]
    frequent = boss.get(TASKS, {"state": "error"}).context["cl"]
    searched = boss.get(TASKS, {"q": "linear"}).context["cl"]

    assert listed.count.word == "about"
    assert listed.count.number >= 4
    assert frequent.count == searched.count == (4, "at least")
    assert len(searched.result_list) == 6
    assert "of the newest 4 tasks" in answer.content.decode()
    assert len(listed.result_list) == 6
    assert narrowed.count == (1, "")


def test_the_list_says_what_failed_last_and_who_is_under_investigation(boss):
    task = TaskFactory.create(state="blocked_by_failures")
    error = {"error": {"message": "card declined"}}
    StepFactory(task=task, name="charge", state="error", results=error)
    StepFactory(task=task, name="done", state="complete")
    DlqEntry.objects.create(task=task, dlq_reason="manual_dlq")

    page = boss.get(TASKS).content.decode()

    for text in ("charge: card declined", "1 of 2", ">DLQ<", f'data-copy="{task.pk}"'):
        assert text in page, text


def test_the_list_is_ordered_as_asked(boss):
    for priority in (5, -5, 50):
        TaskFactory(priority=priority)

    rows = boss.get(TASKS, {"o": "-6"}).context["cl"].result_list

    assert [task.priority for task in rows] == [50, 5, -5]


def test_the_second_page_follows_the_first(boss):
    template = TemplateFactory()
    for _ in range(53):
        TaskFactory(named_task=template)

    first, second = (found(boss, TASKS, p=page) for page in ("1", "2"))

    assert (len(first), len(second)) == (50, 3)
    assert not first & second
    assert boss.get(TASKS, {"p": "9"}).status_code == 302


def test_rows_are_exported_without_formulas(boss):
    task = TaskFactory.create(initiator="=cmd()", reason="a,b\n")

    answer = boss.post(TASKS, {"action": "export_csv", "_selected_action": str(task.pk)})

    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[0].startswith("task_uuid,namespace,template,version,state")
    assert str(task.pk) in lines[1]
    assert "'=cmd()" in lines[1]
    assert answer["Content-Disposition"].startswith("attachment; filename=")
