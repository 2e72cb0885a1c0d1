"""What a session has planned while tables were empty must not read all of them later."""

import pytest
from django.db import connections, transaction

from orchestration.client import create_task
from orchestration.messaging import pgmq
from orchestration.models import Task, WorkflowStep
from orchestration.queries.steps import report_steps
from orchestration.testing import linear
from templates_registry import registry
from tests.factories import ticks

READ_IN_WHOLE = """
SELECT relname, seq_tup_read
FROM pg_stat_xact_user_tables
WHERE relname IN ('tasker_tasks', 'tasker_workflow_steps', 'tasker_workflow_step_edges')
  AND seq_tup_read > 0
"""
PASSED_IN_QUEUE = """
SELECT seq_tup_read + idx_tup_fetch
FROM pg_stat_xact_user_tables
WHERE relid = 'pgmq.q_worker_test_queue'::regclass
"""
PASSED_IN_REGISTRY = """
SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0)
FROM pg_stat_xact_user_tables
WHERE relname IN ('tasker_named_steps', 'tasker_named_tasks_named_steps')
"""
SEND = """
SELECT pgmq.send_batch(
  %(queue)s, ARRAY(SELECT jsonb_build_object('place', n) FROM generate_series(1, %(count)s) AS n)
)
"""
TASKS = 3
STEPS = 3
LARGE = 300
QUEUE = "worker_test_queue"
WAITING = 300
READ = 50


@pytest.fixture
def fresh_session():
    """Plan nothing before the test, and on tables that the planner knows to be empty."""
    registry.register(linear(STEPS, name="chain"))
    with connections["default"].cursor() as cursor:
        cursor.execute("ANALYZE tasker_tasks, tasker_workflow_steps, tasker_workflow_step_edges")
        cursor.execute("DISCARD PLANS")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("fresh_session")
def test_neither_creation_nor_work_reads_whole_tables():
    with transaction.atomic():
        for _ in range(TASKS):
            create_task("chain", namespace="test")
        while claims := ticks.claim():
            report_steps([ticks.success(claim) for claim in claims], advance=STEPS)
        with connections["default"].cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(READ_IN_WHOLE)
            found = cursor.fetchall()

        assert Task.objects.filter(state="complete").count() == TASKS
    assert found == []


@pytest.mark.django_db(transaction=True)
def test_a_large_template_after_small_ones_looks_every_step_type_up_once():
    registry.register(linear(1, name="short"))
    with connections["default"].cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) tasker_named_steps, tasker_named_tasks_named_steps")
        cursor.execute("DISCARD PLANS")
        create_task("short", namespace="test")
        registry.register(linear(LARGE, name="long"))
        with transaction.atomic():
            cursor.execute(PASSED_IN_REGISTRY)
            [[before]] = cursor.fetchall()
            create_task("long", namespace="test")
            cursor.execute(PASSED_IN_REGISTRY)
            [[after]] = cursor.fetchall()

    assert WorkflowStep.objects.filter(task__named_task__name="long").count() == LARGE
    assert after - before <= 3 * LARGE, "found by its name, and checked by its key"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("fresh_session")
def test_a_read_of_few_messages_passes_few():
    with connections["default"].cursor() as cursor:
        cursor.execute(SEND, {"queue": QUEUE, "count": WAITING})
        cursor.execute("DELETE FROM pgmq.q_worker_test_queue")
        # Pages, but no rows: what statistics say of a queue that autovacuum met between two bursts.
        cursor.execute("VACUUM (ANALYZE, TRUNCATE off) pgmq.q_worker_test_queue")
        with transaction.atomic():
            cursor.execute(SEND, {"queue": QUEUE, "count": WAITING})
            cursor.execute(PASSED_IN_QUEUE)
            [[before]] = cursor.fetchall()
            messages = pgmq.read(QUEUE, limit=READ, visibility_seconds=30)
            cursor.execute(PASSED_IN_QUEUE)
            [[after]] = cursor.fetchall()

    assert sorted(message.body["place"] for message in messages) == list(range(1, READ + 1))
    assert after - before <= 2 * READ, "chosen and hidden, each found by its key"
