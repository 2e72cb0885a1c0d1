"""The fixtures themselves: queues are empty after a commit, the clock is the engine's."""

from typing import Any

import pytest
from django.db import connections


def _ask(sql: str) -> Any:
    with connections["default"].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", [1, 2])
def test_queue_is_empty_when_a_test_begins_after_one_that_sent(run):
    _ask("SELECT pgmq.create('tests_fixtures') IS NULL")

    sent = _ask("SELECT pgmq.send('tests_fixtures', '{}')")

    assert sent
    assert _ask("SELECT count(*) FROM pgmq.q_tests_fixtures") == 1


def test_clock_moves_the_engines_time(clock):
    before = _ask("SELECT tasker_now()")

    clock.advance(3600)

    assert (_ask("SELECT tasker_now()") - before).total_seconds() == 3600
