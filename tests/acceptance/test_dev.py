"""`manage.py dev` on an embedded server of its own: serves, restarts, leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import httpx
import pytest

from tasker_project.embedded import postmaster
from tasker_project.embedded.launcher import EmbeddedServer
from tests.processes import PROJECT, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]


class Dev:
    """One running `manage.py dev`; every process below it carries its mark in the environment."""

    def __init__(self, root: Path, *options: str, **environment: str) -> None:
        self.mark = f"DEV_TEST_MARK={uuid.uuid4()}"
        self.data = EmbeddedServer(root).data
        self.output = ""
        given = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "TASKER_"))}
        given |= {"TASKER_ENV": "test", "TASKER_LOG_LEVEL": "INFO", "TASKER_DATA_DIR": str(root)}
        given |= dict([self.mark.split("=", 1)])
        given["DJANGO_SETTINGS_MODULE"] = "tasker_project.settings"  # the tests' set the profile
        self.child = subprocess.Popen(
            [sys.executable, "manage.py", "dev", "--port", "0", *options],
            env={**given, **environment},
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.child.stdout is not None
        with self.child.stdout as lines:
            for line in lines:
                self.output += line

    def says(self, pattern: str, *, times: int = 1, within: float = 60.0) -> str:
        """Wait for the last of several lines like this and return what its group holds."""
        try:
            wait_until(lambda: len(re.findall(pattern, self.output)) >= times, within)
        except AssertionError:
            raise AssertionError(f"never said {pattern!r}:\n{self.output}") from None
        return str(re.findall(pattern, self.output)[-1])

    def is_gone(self) -> bool:
        """Tell whether neither a process nor the server is left."""
        return not self.processes() and not postmaster.is_running(self.data)

    def processes(self, *, named: str = "") -> list[int]:
        """Return the processes that carry the mark, dead ones left out."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                has_mark = os.fsencode(self.mark) in (entry / "environ").read_bytes().split(b"\0")
                if has_mark and named in (entry / "cmdline").read_text():
                    found.append(int(entry.name))
            except OSError:
                continue
        return [pid for pid in found if postmaster.is_alive(pid)]

    def end(self) -> None:
        """Kill whatever is left."""
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.child.wait()
        self._reader.join(5)


@pytest.fixture
def dev(tmp_path):
    started = []

    def start(*options, **environment):
        started.append(Dev(tmp_path, *options, **environment))
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
