"""A transaction that loses a deadlock is repeated at once, three times at most (engine.md L6)."""

import threading

import psycopg
import pytest
from django.db import OperationalError, connections, transaction
from psycopg import errors

from orchestration.models import Task
from orchestration.queries.transactions import ATTEMPTS, atomically
from orchestration.testing import TaskFactory, TemplateFactory
from tests.processes import database_url

pytestmark = pytest.mark.django_db(transaction=True)


def lock(task: Task) -> None:
    Task.objects.select_for_update(no_key=True).get(pk=task.pk)


@pytest.fixture
def tasks():
    template = TemplateFactory.create()
    return TaskFactory.create_batch(2, named_task=template)


class Opponent:
    """Another session that locks two tasks, the second one only when it is told to."""

    def __init__(self, first: Task, second: Task) -> None:
        self.first, self.second = first, second
        self.session = psycopg.connect(database_url())
        self._lock(first)

    def _lock(self, task: Task) -> None:
        self.session.execute(
            "SELECT FROM tasker_tasks WHERE task_uuid = %s FOR NO KEY UPDATE", [task.pk]
        )

    def go_on(self) -> threading.Thread:
        """Ask for the second task in a thread, then commit."""

        def finish() -> None:
            self._lock(self.second)
            self.session.commit()
            self.session.close()

        thread = threading.Thread(target=finish)
        thread.start()
        return thread


def test_victim_of_a_deadlock_is_repeated_and_succeeds(tasks, eventually):
    first, second = tasks
    opponent = Opponent(second, first)
    runs: list[threading.Thread] = []

    def work() -> str:
        lock(first)
        if not runs:
            runs.append(opponent.go_on())
            eventually(lambda: waits_for_a_lock(opponent))
        # The sooner of the two to look for a deadlock is its victim.
        with connections["default"].cursor() as cursor:
            cursor.execute("SET LOCAL deadlock_timeout = '10ms'")
        lock(second)
        return "done"

    answer = atomically(work)
    runs[0].join()

    assert answer == "done"
    assert opponent.session.closed


def waits_for_a_lock(opponent: Opponent) -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s",
            [opponent.session.info.backend_pid],
        )
        return bool(cursor.fetchone()[0])


def fail(counter: list[int], sqlstate: str) -> None:
    counter.append(1)
    with connections["default"].cursor() as cursor:
        cursor.execute(f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$")


def test_transaction_gives_up_after_its_last_attempt():
    counter: list[int] = []

    with pytest.raises(OperationalError) as failure:
        atomically(lambda: fail(counter, "40P01"))

    assert isinstance(failure.value.__cause__, errors.DeadlockDetected)
    assert len(counter) == ATTEMPTS


def test_other_errors_are_not_repeated():
    counter: list[int] = []

    with pytest.raises(OperationalError):
        atomically(lambda: fail(counter, "57014"))

    assert len(counter) == 1


def test_transaction_of_the_caller_is_not_repeated():
    counter: list[int] = []

    def inside() -> None:
        with transaction.atomic():
            atomically(lambda: fail(counter, "40P01"))

    with pytest.raises(OperationalError):
        inside()

    assert len(counter) == 1


def test_a_connection_that_died_is_dropped_and_no_other_opened():
    """Symptom: after a restart the loss was told only when the pool had found the server again."""

    def end_own_session() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(OperationalError):
        atomically(end_own_session)

    assert connections["default"].connection is None
    assert atomically(lambda: 1) == 1
