"""The page of one task: what it shows, its live part, its downloads, what stays hidden."""

import json
import re

import pytest

from orchestration.admin import task_parts
from orchestration.models import DlqEntry, Task
from orchestration.testing import StepFactory, TaskFactory, diamond, linear
from tests.factories.ticks import blocked, fail_step, run_step, run_to_the_end, start

pytestmark = pytest.mark.django_db
TASKS = "/admin/orchestration/task/"


def show(client, task, **query):
    return client.get(f"{TASKS}{task.pk}/change/", query).content.decode()


def live(client, task, etag=""):
    headers = {"if-none-match": etag} if etag else {}
    return client.get(f"{TASKS}{task.pk}/live/", headers=headers)


@pytest.fixture
def task() -> Task:
    """Return a task with a step that is done, one that failed, and one that waits."""
    created = start(diamond(), {"order": 4711}, tags=["vip"], reason="order 4711")
    run_step({"seen": True})
    fail_step(retryable=False)
    return Task.objects.get(pk=created.task_uuid)


def test_a_task_shows_its_graph_timeline_steps_history_and_data(boss, task):
    page = show(boss, task)

    for text in (
        'class="tasker-graph"',
        'data-step="join"',
        'class="tasker-timeline"',
        "test/diamond@1.0.0",
        "4711",
        "vip",
        "order 4711",
        "steps_enqueued",
        "1 failed",
        "1 of 4",
    ):
        assert text in page, text
    step = task.steps.get(name="join")
    assert page.count(f"/admin/orchestration/workflowstep/{step.pk}/change/") == 2


def test_a_blocked_task_says_why(boss):
    task = Task.objects.get(pk=blocked(linear(2)).task_uuid)

    page = show(boss, task)

    assert "Waits for a person." in page
    assert "step_1</bdi>” failed after 1 of 3 attempts: <bdi>no</bdi>" in page
    assert "at rest since" in page


def test_a_moving_task_is_asked_for_again_a_resting_one_is_not(boss, task):
    assert 'hx-trigger="every 1s"' in show(boss, task)

    run_to_the_end()

    task.refresh_from_db()
    assert task.state == "blocked_by_failures"
    assert 'hx-trigger="every' not in show(boss, task)


def test_without_a_pause_nothing_is_asked_for_again(boss, task, settings):
    settings.TASKER = {"admin_refresh_seconds": 0}

    assert 'hx-trigger="every' not in show(boss, task)


def test_an_unchanged_task_costs_a_304(boss, task, at_most):
    first = live(boss, task)

    with at_most(3):  # session, user, task
        second = live(boss, task, first["ETag"])

    assert (first.status_code, second.status_code, second.content) == (200, 304, b"")
    assert f'data-etag="{first["ETag"]}"'.replace('"', "&quot;", 0)
    assert second["ETag"] == first["ETag"]
    assert "no-cache" in first["Cache-Control"]


def test_every_move_changes_the_mark(boss, task):
    before = live(boss, task)["ETag"]

    run_step()

    after = live(boss, task, before)
    assert after.status_code == 200
    assert after["ETag"] != before
    assert b"<html" not in after.content


def test_the_live_part_has_the_mark_that_the_page_shows(boss, task):
    (shown,) = re.findall(r'data-etag="([^"]*)"', show(boss, task))

    assert shown.replace("&quot;", '"') == live(boss, task)["ETag"]


def test_history_is_narrowed_to_a_subject(boss, task):
    def moves(subject: str) -> set[str]:
        page = show(boss, task, history=subject)
        rows = page.partition('aria-label="History"')[2].partition("</table>")[0]
        return set(re.findall(r'max-width:14rem">([^<]*)<', rows))

    assert moves("") == {"task", "start", "left", "right", "join"}
    assert moves("task") == {"task"}
    assert moves("left") == {"left"}
    assert moves("<script>") == set()


def test_time_is_shown_in_proportion_when_asked(boss, task):
    assert 'href="?scale=wall"' in show(boss, task)
    assert 'class="tasker-timeline"' in show(boss, task, scale="wall")


def test_relatives_are_linked_both_ways(boss):
    parent = TaskFactory.create()
    child = TaskFactory.create(parent_correlation_id=parent.correlation_id, state="complete")

    of_parent, of_child = show(boss, parent), show(boss, child)

    assert f"{TASKS}{child.pk}/change/" in of_parent
    assert f"{TASKS}{parent.pk}/change/" in of_child


def test_an_investigation_is_linked(boss, task):
    entry = DlqEntry.objects.create(task=task, dlq_reason="staleness_timeout")

    assert f"/admin/orchestration/dlqentry/{entry.pk}/change/" in show(boss, task)


def test_a_task_without_steps_and_one_of_500_are_shown(boss):
    empty = TaskFactory.create()
    large = TaskFactory.create(state="steps_in_process")
    StepFactory.create_batch(3, task=large)

    assert "The task has no steps." in show(boss, empty)
    assert "cannot be shown" not in show(boss, large)


def test_of_many_steps_those_come_first_that_somebody_looks_for(boss, monkeypatch):
    task = TaskFactory.create(state="steps_in_process")
    for name, state in {"a": "complete", "b": "pending", "c": "error", "d": "enqueued"}.items():
        StepFactory(task=task, name=name, state=state)
    monkeypatch.setattr(task_parts, "MOST_ROWS", 3)
    monkeypatch.setattr(task_parts, "MOST_MOVES_SHOWN", 2)

    def listed(**query: str) -> list[str]:
        page = show(boss, task, **query)
        table = page.partition('id="tk-steps"')[2].partition("</table>")[0]
        return re.findall(r'class="tk-cut" title="(\w)"', table)

    assert listed() == ["c", "d", "a"]
    assert listed(steps="all") == ["a", "b", "c", "d"]
    assert "1 more steps are not listed" in show(boss, task)
    assert "3 older moves are not listed" in show(boss, task)
    assert "older moves" not in show(boss, task, moves="all")


def test_a_large_context_is_cut_and_can_be_downloaded(boss):
    task = TaskFactory.create(context={"a": "x" * 200_000})

    page = show(boss, task)
    whole = boss.get(f"{TASKS}{task.pk}/data/context/")

    assert len(page) < 200_000
    assert "more characters" in page
    assert f"{TASKS}{task.pk}/data/context/" in page
    assert json.loads(whole.content) == {"a": "x" * 200_000}
    assert whole["Content-Disposition"].startswith("attachment")
    assert boss.get(f"{TASKS}{task.pk}/data/secrets/").status_code == 404


def test_context_is_hidden_from_who_may_not_read_it(client, grant):
    task = TaskFactory.create(context={"secret": 1})
    client.force_login(grant("tasks_read", "tasks_list"))

    page = show(client, task)

    assert "secret" not in page
    assert "hidden: needs tasks:context_read" in page
    assert "Copy as curl" not in page
    assert "/act/" not in page
    assert client.get(f"{TASKS}{task.pk}/data/context/").status_code == 403
    assert client.get(f"{TASKS}{task.pk}/data/options/").status_code == 200
