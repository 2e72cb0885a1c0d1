"""One task is read by a statement, a page by the ORM: both say the same of a task."""

import pytest

from orchestration.queries.scope import EVERYTHING, Scope
from orchestration.queries.task_list import TaskFilter, find_task, find_tasks
from orchestration.testing import linear
from tests.factories import ticks

pytestmark = pytest.mark.django_db


def test_a_page_and_a_single_look_give_the_same_row():
    task_uuid = ticks.start(linear(2), {"order": 7}).task_uuid
    ticks.run_step()

    page = find_tasks(
        TaskFilter(), EVERYTHING, order="created_at", page=1, per_page=5, with_context=True
    )

    assert [find_task(task_uuid, EVERYTHING)] == page.rows
    assert page.rows[0].context == {"order": 7}


def test_a_task_outside_of_the_scope_is_not_seen():
    task_uuid = ticks.start(linear(1)).task_uuid

    assert find_task(task_uuid, Scope(frozenset({"test"}))) is not None
    assert find_task(task_uuid, Scope(frozenset({"other"}))) is None
