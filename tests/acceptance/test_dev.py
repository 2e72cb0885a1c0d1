"""`manage.py dev` on an embedded server of its own: serves, restarts, leaves nothing behind."""

import os
import re
import signal

import httpx
import pytest

from tests.marked_command import MarkedCommand
from tests.processes import PROJECT, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]


@pytest.fixture
def dev(tmp_path):
    started = []

    def start(*options, **environment):
        command = ("dev", "--port", "0", *options)
        started.append(MarkedCommand(tmp_path, *command, **environment))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_dev_serves_and_leaves_nothing_behind_when_asked_to_stop(dev, number):
    running = dev("--no-reload")
    admin = running.says(r"admin (http://\S+)")
    running.says(r"orchestrator +\|.*process\.started")
    running.says(r"worker +\|.*process\.started")
    assert re.search(r"admin user 'admin', password \S{16}\n", running.output)
    wait_until(lambda: _status(f"{admin}login/") == 200, within=20)

    running.child.send_signal(number)

    assert running.child.wait(30) == 0
    assert running.is_gone()


def test_dev_leaves_nothing_behind_when_it_is_killed(dev):
    running = dev("--no-reload")
    running.says(r"worker +\|.*process\.started")

    running.child.kill()

    wait_until(running.is_gone, within=30)


def test_dev_starts_again_when_a_file_changes(dev):
    running = dev()
    running.says(r"worker +\|.*process\.started")

    os.utime(PROJECT / "tasker_project" / "asgi.py")

    running.says(r"(tasker_project/asgi\.py) changed, starting again")
    running.says(r"worker +\|.*process\.started", times=2)


def test_dev_without_reload_ends_with_the_process_that_died(dev):
    running = dev("--no-reload")
    running.says(r"worker +\|.*process\.started")

    for pid in running.processes(named="run_worker"):
        os.kill(pid, signal.SIGKILL)

    assert running.child.wait(60) == 1
    running.says(r"The process 'worker' ended with code")
    assert running.is_gone()


def test_dev_is_refused_in_production(dev):
    running = dev(
        TASKER_ENV="production",
        DJANGO_SECRET_KEY="s" * 50,
        DJANGO_ALLOWED_HOSTS="tasker.example.com",
    )

    assert running.child.wait(30) == 2
    running.says("dev is no way to serve production")


def _status(address: str) -> int:
    try:
        return httpx.get(address, timeout=5).status_code
    except httpx.HTTPError:
        return 0
