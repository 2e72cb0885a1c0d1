"""Purge: what goes, what stays, in which batches, and who may do it at the same time."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, connections
from django.utils import timezone

from orchestration.conf import RetentionSettings, engine_settings, pool_settings
from orchestration.lifecycle import operator_actions, retention
from orchestration.lifecycle.retention import AutomaticPurge, PurgeBusyError, purge, purge_batch
from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE, worker_queue
from orchestration.models import (
    AnnotationType,
    DlqEntry,
    StepResultAudit,
    StepTransition,
    Task,
    TaskAnnotation,
    TaskTransition,
    WorkflowStep,
    WorkflowStepEdge,
)
from orchestration.orchestrator import build_parts
from orchestration.runtime.identity import identify_process
from orchestration.testing import StepFactory, TaskFactory, diamond, linear
from tests.factories import ticks
from tests.factories.dynamic import batched, split

pytestmark = pytest.mark.django_db
LIMITS = RetentionSettings(retention_task_days=30, purge_batch_count=500)
OF_TASKS = (
    *(Task, TaskTransition, TaskAnnotation, WorkflowStep, WorkflowStepEdge),
    *(StepTransition, StepResultAudit),
)


def never_rests(seconds):
    return True


def execute(statement, *values):
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


class Rests(list[float]):
    """A rest that takes no time; remembers how long it should have been."""

    def __call__(self, seconds):
        self.append(seconds)
        return True


def archived(queue):
    return execute(f"SELECT count(*) FROM pgmq.a_{queue}")[0][0]  # noqa: S608


def ended(days, *, steps=0, **columns):
    """Insert a task that ended so many days ago."""
    at = timezone.now() - timedelta(days=days)
    columns = {"state": "complete", "completed_at": at} | columns
    task = TaskFactory.create(**columns)
    parents: list[WorkflowStep] = []
    for _ in range(steps):
        parents = [StepFactory.create(task=task, state="complete", parents=parents)]
    return task


def completed_by_the_engine(days, template=None):
    created = ticks.start(template or diamond())
    ticks.run_to_the_end()
    at = timezone.now() - timedelta(days=days)
    assert Task.objects.filter(pk=created.task_uuid).update(completed_at=at) == 1
    return Task.objects.get(pk=created.task_uuid)


def entry(task, *, days=0, status="manually_resolved"):
    at = timezone.now() - timedelta(days=days)
    closed = None if status == "pending" else at
    return DlqEntry.objects.create(
        task=task,
        dlq_reason="manual_dlq",
        dlq_timestamp=at,
        resolution_status=status,
        resolution_timestamp=closed,
    )


def test_a_finished_task_goes_with_everything_that_hangs_on_it():
    task = completed_by_the_engine(31)
    kept = completed_by_the_engine(29, linear(2))
    kind = AnnotationType.objects.create(name="note")
    for each in (task, kept):
        TaskAnnotation.objects.create(task=each, annotation_type=kind, annotation={"n": 1})

    deleted = purge(LIMITS, rest=never_rests)

    assert deleted["tasks"] == 1
    assert deleted["steps"] == deleted["edges"] == deleted["result_audit"] == 4
    assert deleted["annotations"] == 1
    assert deleted["step_transitions"] == 4 * 5
    assert list(Task.objects.all()) == [kept]
    assert not WorkflowStep.objects.exclude(task=kept).exists()
    left = [model.objects.count() for model in OF_TASKS]
    assert left[0:5] == [1, kept.state_version, 1, 2, 1]
    assert left[5:] == [2 * 5, 2]
    assert purge(LIMITS, rest=never_rests) == {}


def test_a_task_goes_whose_steps_created_each_other():
    created = ticks.start(batched())
    ticks.run_step(split("1", "2"))
    ticks.run_to_the_end()
    old = timezone.now() - timedelta(days=31)
    Task.objects.filter(pk=created.task_uuid).update(completed_at=old)

    deleted = purge(LIMITS, rest=never_rests)

    assert (deleted["tasks"], deleted["steps"]) == (1, 4)
    assert not Task.objects.filter(pk=created.task_uuid).exists()


def test_every_table_that_points_to_a_task_is_purged():
    """A new table with a foreign key to a task or step must be added to tasker_purge_tasks."""
    known = {model._meta.db_table for model in OF_TASKS} | {DlqEntry._meta.db_table}

    pointing = {
        model._meta.db_table
        for model in apps.get_models()
        for column in model._meta.get_fields()
        if column.concrete and column.is_relation and column.related_model in OF_TASKS
    }

    assert pointing <= known


UNINDEXED = """
SELECT c.conrelid::regclass || '.' || a.attname
FROM pg_constraint AS c
JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f'
  AND starts_with(c.confrelid::regclass::text, 'tasker_')
  AND NOT EXISTS (
    SELECT
    FROM pg_index AS i
    WHERE i.indrelid = c.conrelid
      AND i.indkey[0] = c.conkey[1]
      AND coalesce(pg_get_expr(i.indpred, i.indrelid), '')
        IN ('', '(' || a.attname || ' IS NOT NULL)')
  )
"""


def test_every_foreign_key_has_an_index_so_that_no_delete_reads_a_whole_table():
    assert execute(UNINDEXED) == []


@pytest.mark.parametrize("state", ["complete", "error", "cancelled", "resolved_manually"])
def test_every_terminal_state_is_purged(state):
    ended(31, state=state)

    assert purge(LIMITS, rest=never_rests)["tasks"] == 1


@pytest.mark.parametrize("state", ["pending", "blocked_by_failures", "waiting_for_dependencies"])
def test_a_task_that_is_not_finished_stays_however_old_it_is(state, without_invariants):
    TaskFactory.create(state=state, created_at=timezone.now() - timedelta(days=4000))

    assert purge(LIMITS, rest=never_rests) == {}


def test_a_task_with_a_pending_entry_stays_until_the_entry_is_closed():
    task = ended(31)
    open_entry = entry(task, status="pending")

    first = purge(LIMITS, rest=never_rests)
    DlqEntry.objects.filter(pk=open_entry.pk).update(
        resolution_status="manually_resolved", resolution_timestamp=timezone.now()
    )
    second = purge(LIMITS, rest=never_rests)

    assert first == {}
    assert second["tasks"] == 1
    assert second["detached_entries"] == 1
    open_entry.refresh_from_db()
    assert open_entry.task is None


def test_oldest_go_first_in_batches_of_the_given_size():
    tasks = [ended(days, steps=1) for days in (31, 35, 33, 40, 32)]
    limits = RetentionSettings(retention_task_days=30, purge_batch_count=2)

    first = purge_batch(limits)
    after_one = set(Task.objects.all())
    rests = Rests()
    rest = purge(limits, rest=rests)

    assert first is not None
    assert first["tasks"] == 2
    assert after_one == {tasks[0], tasks[2], tasks[4]}
    assert rest["tasks"] == 3
    assert len(rests) == 2
    assert min(rests) > 0


def test_purge_stops_after_the_batch_when_it_is_asked_to():
    for _ in range(3):
        ended(31)
    limits = RetentionSettings(retention_task_days=30, purge_batch_count=1)
    seen = []

    deleted = purge(limits, rest=lambda seconds: False, show=lambda rows: seen.append(dict(rows)))

    assert deleted["tasks"] == 1
    assert [each["tasks"] for each in seen] == [1]
    assert Task.objects.count() == 2


def test_nothing_goes_where_every_limit_is_off():
    entry(ended(5000), days=5000)
    limits = RetentionSettings(
        retention_task_days=0, retention_dlq_days=0, retention_archive_days=0
    )

    assert purge(limits, rest=never_rests) == {}


def test_closed_entries_go_by_their_own_age_and_pending_ones_never():
    old, young = entry(None, days=366), entry(None, days=364)
    opened_early = entry(None, days=400)
    DlqEntry.objects.filter(pk=opened_early.pk).update(
        resolution_timestamp=timezone.now() - timedelta(days=1)
    )
    pending = entry(None, days=5000, status="pending")

    deleted = purge(RetentionSettings(retention_dlq_days=365), rest=never_rests)

    assert deleted == {"dlq_entries": 1}
    assert set(DlqEntry.objects.all()) == {young, opened_early, pending}
    assert old not in DlqEntry.objects.all()


def test_archives_of_our_queues_are_trimmed_and_those_of_others_are_not():
    ticks.start(linear(1))
    pgmq.create_queue("somebody_elses")
    queues = (RESULTS_QUEUE, worker_queue("test"), "somebody_elses")
    for queue in queues:
        for days in (31, 29):
            execute(
                f"INSERT INTO pgmq.a_{queue} (msg_id, vt, archived_at, message)"  # noqa: S608
                " VALUES (%s, now(), now() - make_interval(days => %s), '{}')",
                days,
                days,
            )

    deleted = purge(RetentionSettings(purge_batch_count=1), rest=never_rests)

    assert deleted == {"archived_messages": 2}
    left = {queue: archived(queue) for queue in queues}
    assert left == {RESULTS_QUEUE: 1, worker_queue("test"): 1, "somebody_elses": 2}


def test_a_dry_run_counts_what_a_purge_deletes_and_changes_nothing():
    completed_by_the_engine(31)
    completed_by_the_engine(29)
    entry(ended(31), days=1)
    entry(None, days=366)

    counted = retention.count(LIMITS)
    tasks = Task.objects.count()
    deleted = purge(LIMITS, rest=never_rests)

    assert counted == deleted
    assert tasks == 3
    assert counted["detached_entries"] == counted["dlq_entries"] == 1


@pytest.mark.django_db(transaction=True)
def test_only_one_purge_works_at_a_time(second_connection, monkeypatch):
    ended(31)
    second_connection("BEGIN")
    second_connection("SELECT pg_try_advisory_xact_lock(hashtextextended('tasker.purge', 0))")
    rests = Rests()

    refused = purge_batch(LIMITS)
    with pytest.raises(PurgeBusyError):
        purge(LIMITS, rest=rests)
    second_connection("COMMIT")
    deleted = purge_batch(LIMITS)

    assert refused is None
    assert len(rests) == retention.BUSY_LOOKS
    assert deleted is not None
    assert deleted["tasks"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_task_that_an_operator_holds_is_left_for_the_next_batch(second_connection):
    held, free = ended(32, state="error"), ended(31)
    second_connection("BEGIN")
    second_connection("SELECT FROM tasker_tasks WHERE state = 'error' FOR NO KEY UPDATE")

    deleted = purge_batch(LIMITS)
    second_connection("COMMIT")

    assert deleted is not None
    assert deleted["tasks"] == 1
    assert list(Task.objects.all()) == [held]
    assert not Task.objects.filter(pk=free.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_task_that_is_revived_before_the_lock_is_not_deleted():
    task = ended(31, state="error")
    operator_actions.reset_task(task.task_uuid, actor="user:x", reason="again")

    assert purge(LIMITS, rest=never_rests) == {}
    assert Task.objects.filter(pk=task.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_foreign_table_that_points_to_a_task_stops_the_purge_and_loses_nothing():
    task = ended(31, steps=2)
    execute(
        "CREATE TABLE shop_orders (task_uuid uuid REFERENCES tasker_tasks"
        " DEFERRABLE INITIALLY DEFERRED)"
    )
    try:
        execute("INSERT INTO shop_orders VALUES (%s)", task.pk)
        with pytest.raises(IntegrityError, match="shop_orders"):
            purge(LIMITS, rest=never_rests)
        automatic = AutomaticPurge(
            RetentionSettings(retention_task_days=30, purge_interval_hours=1), next_purge=0
        )
        assert automatic.run_once() == 0  # says so in the log, and lets the process live
        assert automatic.idle_seconds() > 3000
        assert WorkflowStep.objects.filter(task=task).count() == 2
    finally:
        execute("DROP TABLE shop_orders")


def test_automatic_purge_takes_a_batch_a_round_and_then_rests_for_hours():
    for _ in range(3):
        ended(31)
    limits = RetentionSettings(retention_task_days=30, purge_batch_count=2, purge_interval_hours=24)
    automatic = AutomaticPurge(limits, next_purge=0)
    left, pauses = [], []

    for _ in range(3):
        assert automatic.run_once() == 0
        left.append(Task.objects.count())
        pauses.append(automatic.idle_seconds())
        if pauses[-1] < 60:
            automatic.next_purge = 0

    assert left == [1, 0, 0]
    assert pauses[0] < 5
    assert pauses[2] > 23 * 3600


def test_automatic_purge_does_nothing_before_its_time():
    ended(31)

    AutomaticPurge(LIMITS).run_once()

    assert Task.objects.count() == 1


@pytest.mark.parametrize(("hours", "expected"), [(0, 0), (24, 1)])
def test_an_orchestrator_has_the_loop_only_when_it_shall_purge(settings, hours, expected):
    settings.TASKER = {**settings.TASKER, "purge_interval_hours": hours}

    parts = build_parts(
        identify_process("orchestrator"),
        settings=engine_settings(),
        bounds=pool_settings(),
        poll_seconds=lambda: 1.0,
    )

    assert sum(part.name == "purge" for part in parts) == expected
