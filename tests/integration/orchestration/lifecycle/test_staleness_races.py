"""Detectors against each other, against results that arrive, and against claims.

The second party is another connection, or another thread; who comes first is decided by the test.
Times are real, so the limits are passed by moving what happened into the past.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connections

from orchestration.conf import staleness_settings
from orchestration.lifecycle import staleness
from orchestration.models import DlqEntry, Task, TaskTransition
from orchestration.queries import staleness as queries
from orchestration.testing import linear
from tests.factories import ticks
from tests.factories.histories import states, task_history
from tests.processes import database_url

pytestmark = pytest.mark.django_db(transaction=True)
DETECT = "SELECT * FROM detect_and_transition_stale_tasks(false)"


@pytest.fixture
def other() -> Iterator[psycopg.Connection[Any]]:
    """Return another connection, inside a transaction that the test ends."""
    with psycopg.connect(database_url()) as connection:
        yield connection


def look() -> list[Any]:
    return staleness.look_for_stale_tasks(move=ticks.MOVE)


def start(**lifecycle: Any):
    return ticks.start(linear(1, lifecycle=lifecycle or None))


def an_hour_passes() -> None:
    """Move everything that happened an hour into the past."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "UPDATE tasker_tasks SET state_entered_at = now() - interval '1 hour',"
            " created_at = now() - interval '1 hour'"
        )
        cursor.execute(
            "UPDATE tasker_workflow_steps SET state_entered_at = now() - interval '1 hour',"
            " lease_until = CASE WHEN lease_until IS NOT NULL THEN now() - interval '1 hour' END"
        )


def timeouts() -> int:
    return TaskTransition.objects.filter(event="timeout").count()


def test_a_second_detector_passes_over_what_the_first_holds(other):
    created = start()
    an_hour_passes()
    first = other.execute(DETECT).fetchall()

    meanwhile = look()
    other.commit()
    afterwards = look()

    assert (len(first), meanwhile, afterwards) == (1, [], [])
    assert (DlqEntry.objects.count(), timeouts()) == (1, 1)
    assert task_history(created.task_uuid) == "P I Q S X:timeout"


def test_a_detector_that_found_the_task_before_another_settled_it_does_nothing(other):
    start(auto_fail_on_timeout=False)  # the state does not change, only the entry tells
    an_hour_passes()
    limits = staleness.limits_of(staleness_settings())
    (found,) = queries.find_stale_tasks(limits, limit=10)

    other.execute(DETECT)
    other.commit()
    late = queries.settle_stale_task(found.task_uuid, limits, notify=True)

    assert late is None
    assert DlqEntry.objects.count() == 1


def test_many_detectors_at_once_settle_every_task_once():
    for _ in range(20):
        start()
    an_hour_passes()

    def detect(_: int) -> int:
        try:
            return len(look())
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(4) as pool:
        settled = sum(pool.map(detect, range(4)))
    settled += len(look())  # what all of them passed over at the same moment

    assert settled == 20
    assert (DlqEntry.objects.count(), timeouts()) == (20, 20)
    assert set(Task.objects.values_list("state", flat=True)) == {"error"}


def report_of(claimed: Any) -> str:
    report = ticks.success(claimed)
    return json.dumps(
        [
            {
                "step_uuid": str(report.step_uuid),
                "state_version": report.state_version,
                "success": True,
                "results": json.loads(report.results),
            }
        ]
    )


REPORT = "SELECT accepted FROM tasker_report_steps(%s::jsonb)"


def test_a_report_that_is_being_written_is_a_sign_of_life(other):
    created = start()
    (claimed,) = ticks.claim()
    an_hour_passes()
    assert other.execute(REPORT, [report_of(claimed)]).fetchone() == (True,)

    meanwhile = look()
    other.commit()
    afterwards = look()
    ticks.process()

    assert (meanwhile, afterwards) == ([], [])
    assert Task.objects.get(pk=created.task_uuid).state == "complete"
    assert not DlqEntry.objects.exists()


def test_a_report_that_comes_second_is_refused(other, eventually):
    created = start()
    (claimed,) = ticks.claim()
    an_hour_passes()
    assert len(other.execute(DETECT).fetchall()) == 1

    def report() -> tuple[bool]:
        with psycopg.connect(database_url(), autocommit=True) as worker:
            return worker.execute(REPORT, [report_of(claimed)]).fetchone() or (False,)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(report)
        eventually(somebody_waits_for_a_row)
        other.commit()
        assert waiting.result(10) == (False,)

    assert ticks.process() == 0
    assert states(created.task_uuid) == {"step_1": "error"}
    assert task_history(created.task_uuid) == "P I Q S X:timeout"


def test_a_result_that_is_being_processed_goes_first(other):
    created = start()
    (claimed,) = ticks.claim()
    an_hour_passes()
    # An orchestrator holds the task, and nothing of what it does is visible yet.
    other.execute("SELECT FROM tasker_tasks FOR NO KEY UPDATE")

    assert look() == []
    other.rollback()
    ticks.report(ticks.success(claimed))
    ticks.process()

    assert Task.objects.get(pk=created.task_uuid).state == "complete"


def test_a_claim_finds_nothing_of_what_a_detector_took(other):
    created = start()
    an_hour_passes()
    other.execute(DETECT)

    meanwhile = ticks.claim()
    other.commit()
    afterwards = ticks.claim()

    assert (meanwhile, afterwards) == ([], [])
    assert states(created.task_uuid) == {"step_1": "error"}


def test_a_claim_that_is_being_made_is_a_sign_of_life(other):
    created = start()
    an_hour_passes()
    claimed = "SELECT msg_id FROM tasker_claim_steps('worker_test_queue', %s, 10)"
    assert other.execute(claimed, [ticks.WORKER]).fetchall()

    assert look() == []
    other.commit()
    assert look() == []

    assert states(created.task_uuid) == {"step_1": "in_progress"}


def test_a_task_that_moved_on_between_look_and_lock_is_left_alone():
    created = start()
    an_hour_passes()
    limits = staleness.limits_of(staleness_settings())
    (found,) = queries.find_stale_tasks(limits, limit=10)
    ticks.run_to_the_end()

    assert queries.settle_stale_task(found.task_uuid, limits, notify=True) is None
    assert Task.objects.get(pk=created.task_uuid).state == "complete"


def test_a_claim_between_look_and_lock_is_a_sign_of_life():
    created = start()
    an_hour_passes()
    limits = staleness.limits_of(staleness_settings())
    (found,) = queries.find_stale_tasks(limits, limit=10)
    ticks.claim()

    assert queries.settle_stale_task(found.task_uuid, limits, notify=True) is None
    assert states(created.task_uuid) == {"step_1": "in_progress"}
    assert not DlqEntry.objects.exists()


def somebody_waits_for_a_row() -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])
