"""Several processes under one parent: replaced, ended together, and what the parent ends with.

The processes are tiny scripts that follow their parent as a worker does.
"""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from orchestration.process.replica import Replica
from orchestration.process.replicas import Replicas, command_again
from tests.processes import children_of, wait_until

FOLLOWS = "import os, sys; fd = int(sys.argv[2]); os.read(fd, 1); sys.exit(int(os.environ['CODE']))"
OTHER_OPTIONS = ("--processes=1", "--parent-fd=7")
INSISTS = "import os, sys; fd = int(sys.argv[2]); os.read(fd, 1); os.read(fd, 1)"


def python(code):
    return lambda number, fd: [sys.executable, "-S", "-c", code, str(number), str(fd)]


class Runner:
    """Runs the parent in the test's main thread, and what a test does meanwhile in another."""

    def __init__(self, code, *, count=2, **options):
        self.replicas = Replicas(count, python(code), **options)

    def run(self, meanwhile=lambda replicas: None):
        failures = []

        def act():
            try:
                meanwhile(self.replicas)
            except BaseException as error:  # noqa: BLE001 - the test raises it
                failures.append(error)
                self.replicas.shutdown.hear(2)

        thread = threading.Thread(target=act)
        thread.start()
        code = self.replicas.run()
        thread.join()
        assert not failures, failures
        return code


def pids(replicas):
    return [each["pid"] for each in replicas._describe()]


def all_run(replicas):
    wait_until(lambda: all(pids(replicas)))


def stop(replicas):
    all_run(replicas)
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(("code", "expected"), [("0", 0), ("1", 1), ("2", 2)])
def test_a_signal_asks_all_and_the_worst_end_is_the_parents(monkeypatch, code, expected):
    monkeypatch.setenv("CODE", code)

    assert Runner(FOLLOWS).run(stop) == expected


def test_a_second_signal_is_passed_on(monkeypatch):
    def stop_twice(replicas):
        stop(replicas)
        time.sleep(0.2)
        assert all(pids(replicas))
        os.kill(os.getpid(), signal.SIGINT)

    assert Runner(INSISTS).run(stop_twice) == 0


def test_a_process_that_dies_is_replaced_and_the_others_go_on(monkeypatch):
    monkeypatch.setenv("CODE", "0")
    seen = []

    def kill_one(replicas):
        all_run(replicas)
        seen.append(pids(replicas))
        os.kill(seen[0][0], signal.SIGKILL)
        wait_until(lambda: replicas._describe()[0]["restarts"] == 1)
        all_run(replicas)
        seen.append(pids(replicas))
        stop(replicas)

    assert Runner(FOLLOWS).run(kill_one) == 0
    (first, second), (heir, same) = seen
    assert heir != first
    assert same == second


def test_asked_while_one_is_to_be_replaced_nothing_is_started_any_more(monkeypatch):
    monkeypatch.setenv("CODE", "0")

    def kill_and_stop(replicas):
        all_run(replicas)
        os.kill(pids(replicas)[1], signal.SIGKILL)
        wait_until(lambda: replicas._describe()[1]["restarts"] == 1)
        os.kill(os.getpid(), signal.SIGTERM)

    began = time.monotonic()
    assert Runner(FOLLOWS).run(kill_and_stop) == 0
    assert time.monotonic() - began < 5


def test_bad_configuration_of_one_ends_all_and_starts_nothing_again(monkeypatch):
    monkeypatch.setenv("CODE", "0")
    code = f"import sys\nif sys.argv[1] == '2': sys.exit(2)\n{FOLLOWS}"
    runner = Runner(code, count=3)

    assert runner.run() == 2
    assert [each["restarts"] for each in runner.replicas._describe()] == [0, 0, 0]


@pytest.mark.parametrize(("code", "expected"), [("pass", 0), ("raise SystemExit(1)", 1)])
def test_processes_that_run_once_are_not_replaced(code, expected):
    assert Runner(code, is_once=True).run() == expected


def test_a_process_that_somebody_asked_to_end_is_not_replaced():
    assert Runner("pass").run() == 0


def test_processes_learn_of_the_end_of_a_parent_that_is_killed():
    code = (
        "import django, logging, sys; django.setup(); logging.disable()\n"
        "from orchestration.process.replicas import Replicas\n"
        f"child = {FOLLOWS!r}\n"
        "Replicas(2, lambda n, fd: [sys.executable, '-S', '-c', child, str(n), str(fd)]).run()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env={**os.environ, "CODE": "0"},
    )
    assert parent.stdout is not None
    try:
        wait_until(lambda: len(children_of(parent.pid)) == 2, 15)
    finally:
        parent.kill()
        parent.wait()

    assert parent.stdout.read() == b""  # ends when the last process that holds it does
    parent.stdout.close()


def test_pauses_between_restarts_double_up_to_half_a_minute():
    replica = Replica(1, lambda fd: ["true"])
    replica._started_at = time.monotonic()
    pauses = []
    for _ in range(7):
        replica.plan_restart()
        pauses.append(replica.pause_seconds)

    assert pauses == [1, 2, 4, 8, 16, 30, 30]


def test_a_process_that_lived_for_a_while_begins_with_the_first_pause():
    replica = Replica(1, lambda fd: ["true"])
    replica._started_at = time.monotonic()
    for _ in range(3):
        replica.plan_restart()

    replica._started_at -= 61
    replica.plan_restart()

    assert replica.pause_seconds == 1
    assert 0.5 < (replica.seconds_until_due or 0) <= 1


def test_a_program_that_cannot_be_started_leaves_no_descriptor_behind():
    before = len(os.listdir("/proc/self/fd"))

    with pytest.raises(OSError, match="nowhere"):
        Replica(1, lambda fd: ["/nowhere/program"]).start()

    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            ["python", "manage.py", "run_worker", "a", "--processes", "3"],
            ["manage.py", "run_worker", "a", "--processes", "3", *OTHER_OPTIONS],
        ),
        (
            ["python", "-m", "django", "run_worker", "--processes=3", "--", "a"],
            ["-m", "django", "run_worker", "--processes=3", *OTHER_OPTIONS, "--", "a"],
        ),
    ],
)
def test_the_command_line_is_the_same_with_other_options(monkeypatch, given, expected):
    monkeypatch.setattr(sys, "orig_argv", given)

    assert command_again(processes=1, parent_fd=7) == [sys.executable, *expected]
