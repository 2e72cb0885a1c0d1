"""`manage.py detect_stale_tasks`: a look unless told to act, as a table."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from orchestration.access.principals import principal_of_command_line
from orchestration.models import DlqEntry, Task, TaskTransition
from orchestration.testing import TaskFactory

pytestmark = pytest.mark.django_db


def caller():
    return principal_of_command_line().name


def run(*arguments):
    out = StringIO()
    call_command("detect_stale_tasks", *arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture
def stale(clock):
    """Insert two tasks that have waited for an hour."""
    tasks = [
        TaskFactory.create(state="waiting_for_retry", state_entered_at=clock.now) for _ in range(2)
    ]
    clock.advance(3600)
    return tasks


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
def test_it_only_looks_unless_told_to_act(stale, arguments):
    headings, *rows, total = run(*arguments)

    assert headings.split() == ["task", "template", "state", "minutes", "limit", "reason", "action"]
    assert {row.split()[0] for row in rows} == {str(task.pk) for task in stale}
    assert rows[0].split()[1:] == [
        "test/linear_1",
        "waiting_for_retry",
        "60.00",
        "2",
        "staleness_timeout",
        "would_transition_to_dlq_and_error",
    ]
    assert headings.index("action") == rows[0].index("would_transition")
    assert total == "2 stale tasks found; --apply acts upon them"
    assert not DlqEntry.objects.exists()


def test_it_acts_when_told_to(stale):
    *_, row, total = run("--apply")

    assert row.endswith("transitioned_to_dlq_and_error")
    assert total == "2 stale tasks settled"
    assert set(Task.objects.values_list("state", flat=True)) == {"error"}
    assert TaskTransition.objects.filter(actor=caller(), event="timeout").count() == 2
    assert run("--apply") == ["0 stale tasks settled"]


def test_telling_it_to_act_overrules_the_setting(stale):
    with override_settings(TASKER={"staleness_dry_run": True}):
        assert run("--apply")[-1] == "2 stale tasks settled"


def test_the_size_of_the_batch_is_an_option_and_a_setting(stale):
    assert run("--batch", "1")[-1].startswith("1 stale tasks found")
    with override_settings(TASKER={"staleness_batch_count": 1}):
        assert run()[-1].startswith("1 stale tasks found")


@pytest.mark.parametrize(
    "arguments",
    [("--dry-run", "--apply"), ("--batch", "0"), ("--batch", "10001"), ("--batch", "x")],
)
def test_a_bad_option_is_refused(arguments):
    with pytest.raises(CommandError):
        call_command("detect_stale_tasks", *arguments)


def test_a_bad_setting_ends_with_code_2(capsys):
    with (
        override_settings(TASKER={"staleness_batch_count": 0}),
        pytest.raises(SystemExit) as ended,
    ):
        run()

    assert ended.value.code == 2
    assert "STALENESS_BATCH_COUNT" in capsys.readouterr().err
