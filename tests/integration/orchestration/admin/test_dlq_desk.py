"""The DLQ desk: the queue, one entry with its task then and now, notes, closing."""

import json

import pytest
from django.test import Client

from orchestration.lifecycle import operator_actions
from orchestration.models import DlqEntry, Task
from orchestration.testing import TaskFactory, linear
from tests.factories.moves import execute
from tests.factories.ticks import blocked, run_step

pytestmark = pytest.mark.django_db
DESK = "/admin/orchestration/dlqentry/"


@pytest.fixture
def entry() -> DlqEntry:
    """Return an investigation about a blocked task."""
    task = blocked(linear(2)).task_uuid
    return DlqEntry.objects.get(
        pk=operator_actions.move_to_dlq(task, actor="user:x", reason="look at this")
    )


def shown(client: Client, entry: DlqEntry) -> str:
    return client.get(f"{DESK}{entry.pk}/change/").content.decode()


def test_the_desk_shows_what_is_pending_the_most_pressing_first(boss, entry):
    cycle = DlqEntry.objects.create(
        task=TaskFactory.create(),
        dlq_reason="dependency_cycle_detected",
        task_snapshot={"name": "c"},
    )
    closed = DlqEntry.objects.create(
        task=TaskFactory.create(), dlq_reason="manual_dlq", resolution_status="cancelled"
    )

    page = boss.get(DESK).content.decode()

    assert page.index(str(cycle.pk)) < page.index(str(entry.pk))
    assert str(closed.pk) not in page
    assert "step_1: no" in page
    assert "<strong>1</strong><span>manual_dlq pending, 2 in all" in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 2),
        ({"status": "all"}, 3),
        ({"status": "cancelled"}, 1),
        ({"reason": "poison_message"}, 1),
        ({"namespace": "test"}, 1),
        ({"namespace": "elsewhere"}, 0),
        ({"reason": "poison_message", "status": "cancelled"}, 0),
    ],
)
def test_the_desk_is_narrowed(boss, entry, query, count):
    DlqEntry.objects.create(
        dlq_reason="poison_message", queue_name="orchestration_step_results", msg_id=7, message={}
    )
    DlqEntry.objects.create(
        dlq_reason="manual_dlq", resolution_status="cancelled", task_snapshot={"namespace": "x"}
    )

    page = boss.get(DESK, query).content.decode()

    assert page.count('name="entry"') == count
    if not count:
        assert "No entry fits" in page


def test_an_entry_shows_its_task_then_and_now(boss, entry):
    before = shown(boss, entry)
    operator_actions.retry_failed_steps(entry.task_id, actor="user:x", reason="r")
    run_step()

    after = shown(boss, entry)

    assert "tk-changed" not in before
    assert after.count("tk-changed") == 2  # one step is done, the next one is on its way
    for text in ("Somebody asked for an investigation.", "look at this", "test/linear_2@1.0.0"):
        assert text in after


def test_shortcuts_lead_to_the_task_s_actions_and_back(boss, entry):
    page = shown(boss, entry)

    back = f"{DESK}{entry.pk}/change/"
    for action in ("retry_failed_steps", "cancel", "resolve"):
        address = f"/admin/orchestration/task/{entry.task_id}/act/{action}/?back={back}"
        assert f'href="{address}"' in page
    assert "/act/give_up/" not in page


def test_notes_pile_up_and_closing_starts_nothing(boss, entry):
    path = f"{DESK}{entry.pk}/note/"
    boss.post(path, {"note": "first"})
    boss.post(path, {"note": "second", "status": "permanently_failed"})

    entry.refresh_from_db()
    first, second = str(entry.resolution_notes).split("\n")
    assert first.endswith("user:ann] first")
    assert second.endswith("user:ann] second")
    assert (entry.resolution_status, entry.resolved_by) == ("permanently_failed", "user:ann")
    assert Task.objects.get(pk=entry.task_id).state == "blocked_by_failures"
    assert "first" in shown(boss, entry)


def test_a_closed_entry_takes_notes_but_is_not_opened_again(boss, entry):
    path = f"{DESK}{entry.pk}/note/"
    boss.post(path, {"note": "n", "status": "cancelled"})
    boss.post(path, {"note": "later"})

    entry.refresh_from_db()
    assert entry.resolution_status == "cancelled"
    assert "later" in str(entry.resolution_notes)


def test_an_empty_note_is_refused(boss, entry):
    page = boss.post(f"{DESK}{entry.pk}/note/", {"note": " "}).content.decode()

    assert "This field is required" in page


def test_notes_never_outgrow_their_column(boss, entry):
    for n in range(8):
        boss.post(f"{DESK}{entry.pk}/note/", {"note": f"{n}" * 2000})

    entry.refresh_from_db()
    assert len(str(entry.resolution_notes)) <= 10_000
    assert str(entry.resolution_notes).endswith("7" * 2000)


def test_many_are_closed_after_a_question(boss, entry):
    other = DlqEntry.objects.create(task=TaskFactory.create(), dlq_reason="manual_dlq")
    chosen = {"entry": [entry.pk, other.pk, "nonsense"]}

    asked = boss.post(f"{DESK}close/", chosen).content.decode()
    answers = {**chosen, "confirmed": "1", "status": "manually_resolved", "note": "done"}
    boss.post(f"{DESK}close/", answers)

    assert "Close 2 investigations" in asked
    assert set(DlqEntry.objects.values_list("resolution_status", flat=True)) == {
        "manually_resolved"
    }


def test_nothing_chosen_is_told(boss, entry):
    page = boss.post(f"{DESK}close/", {}, follow=True).content.decode()

    assert "Choose at least one entry first." in page


def test_an_entry_about_a_message_or_a_purged_task_is_shown(boss, entry):
    message = DlqEntry.objects.create(
        dlq_reason="poison_message",
        queue_name="worker_test_queue",
        msg_id=7,
        message={"step": "unreadable"},
    )
    execute("UPDATE tasker_tasks_dlq SET task_uuid = NULL WHERE dlq_entry_uuid = %s", entry.pk)

    of_message, of_purged = shown(boss, message), shown(boss, entry)

    assert "7 of worker_test_queue" in of_message
    assert json.dumps("unreadable").replace('"', "&quot;") in of_message
    assert "not there any more" in of_purged
    assert "/act/" not in of_message + of_purged
