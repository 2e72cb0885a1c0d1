"""`manage.py purge`: which limits hold, what it prints, how it stops."""

import signal
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from orchestration.conf import retention_settings
from orchestration.models import Task
from orchestration.testing import StepFactory, TaskFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def limits(settings):
    """Return a function that sets limits of retention."""

    def set_limits(**values):
        settings.TASKER = {**settings.TASKER, **values}

    return set_limits


def ended(days, count=1):
    at = timezone.now() - timedelta(days=days)
    for _ in range(count):
        StepFactory.create(
            state="complete", task=TaskFactory.create(state="complete", completed_at=at)
        )


def purge(*arguments):
    out = StringIO()
    call_command("purge", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_without_a_limit_tasks_are_kept_and_the_command_says_what_to_set():
    ended(5000)

    said = purge()

    assert Task.objects.count() == 1
    assert "TASKER_RETENTION_TASK_DAYS is 0" in said
    assert "--days" in said


def test_the_setting_says_how_old_a_task_becomes(limits):
    limits(retention_task_days=90)
    ended(91)
    ended(89)

    said = purge()

    assert Task.objects.count() == 1
    assert "1 tasks deleted" in said
    assert "1 steps deleted" in said
    assert "TASKER_RETENTION_TASK_DAYS" not in said


def test_the_option_goes_before_the_setting(limits):
    limits(retention_task_days=90)
    ended(31)

    purge("--days", "30")

    assert Task.objects.count() == 0


def test_a_dry_run_only_counts():
    ended(31, count=2)

    said = purge("--days", "30", "--dry-run")

    assert "2 tasks would be deleted" in said
    assert Task.objects.count() == 2


def test_nothing_to_do_is_said():
    assert "Nothing deleted" in purge("--days", "30")


@pytest.mark.parametrize(
    "arguments", [("--days", "0"), ("--days", "-1"), ("--batch", "0"), ("--dlq-days", "x")]
)
def test_numbers_below_one_are_refused(arguments):
    with pytest.raises(CommandError):
        purge(*arguments)


@pytest.mark.django_db(transaction=True)
def test_a_table_that_still_points_to_a_task_is_named():
    ended(31)
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE shop_orders (task_uuid uuid REFERENCES tasker_tasks)")
        try:
            cursor.execute("INSERT INTO shop_orders SELECT task_uuid FROM tasker_tasks")
            with pytest.raises(CommandError, match=r"points to one of them.*shop_orders"):
                purge("--days", "30")
        finally:
            cursor.execute("DROP TABLE shop_orders")
    assert Task.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_batch_end_and_the_command_exit_with_0(processes, number):
    ended(31, count=60)
    running = processes.start("purge", "--days", "30", "--batch", "1")
    running.says("tasks, ")

    running.send(number)

    assert running.ends(within=5) == 0
    left = Task.objects.count()
    assert 0 < left < 60
    assert "Stopped before the end" in running.output
    assert f"{60 - left} tasks deleted" in running.output
    assert retention_settings().retention_task_days == 0
