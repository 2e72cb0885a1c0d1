"""The time limit of a request: what is late is rolled back, and said to be."""

import threading

import psycopg
import pytest
from django.db import connections

from orchestration.errors import RequestTimeoutError
from orchestration.http.time_limit import time_limit
from orchestration.models import Task
from orchestration.testing import TaskFactory
from tests.processes import database_url


@pytest.mark.django_db
def test_a_statement_after_the_end_of_the_time_is_refused():
    now = [0.0]

    with time_limit(5, clock=lambda: now[0]):
        assert not Task.objects.exists()
        now[0] = 5.0
        with pytest.raises(RequestTimeoutError, match="longer than 5 s"):
            Task.objects.exists()
    assert not Task.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_request_that_waited_too_long_for_a_row_changes_nothing(api, settings, eventually):
    settings.TASKER = {"api_timeout_seconds": 1, "api_statement_timeout_ms": 900}
    task = TaskFactory.create(state="blocked_by_failures")
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )
    moves, answers = task.transitions.count(), []

    def cancel() -> None:
        try:
            answers.append(api.delete(f"/v1/tasks/{task.pk}"))
        finally:
            connections["default"].close()

    with psycopg.connect(database_url()) as other:
        other.execute("SELECT 1 FROM tasker_tasks WHERE task_uuid = %s FOR UPDATE", [task.pk])
        request = threading.Thread(target=cancel)
        request.start()
        with psycopg.connect(database_url(), autocommit=True) as third:
            eventually(lambda: third.execute(waiting).fetchone() == (1,))
            third.execute("SELECT pg_sleep(1.1)")  # the request's time is over
    request.join(30)

    (answer,) = answers
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "TIMEOUT")
    task.refresh_from_db()
    assert task.state == "blocked_by_failures"
    assert task.transitions.count() == moves
