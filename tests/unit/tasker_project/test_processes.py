"""Child processes: seen, watched, ended in order, never left behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from tasker_project.processes import LOOPBACK, ChildDied, ProcessGroup, free_port, interruptible
from tests.processes import children_of, wait_until

PATIENT = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(60)"
)


def python(code):
    return [sys.executable, "-c", code]


def exists(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_line(said, name):
    wait_until(lambda: (name, "up") in said)


def test_a_group_ends_its_children_the_last_one_first():
    said = []
    with ProcessGroup(show=lambda name, line: said.append((name, line))) as group:
        for name in ("first", "second"):
            code = PATIENT.replace(
                "time.sleep(60)",
                "\ntry: time.sleep(60)\nexcept KeyboardInterrupt: print('asked', flush=True)",
            )
            code = (
                "import signal\nsignal.signal(signal.SIGTERM, signal.default_int_handler)\n" + code
            )
            group.start(name, python(code))
            wait_for_line(said, name)
        pids = [child.pid for child in group.children]

    assert [name for name, line in said if line == "asked"] == ["second", "first"]
    assert not any(exists(pid) for pid in pids)


def test_a_child_that_does_not_listen_is_killed_with_what_it_started():
    said = []
    sleeper = python("import time; time.sleep(60)")
    code = f"import subprocess; print(subprocess.Popen({sleeper!r}).pid, flush=True); {STUBBORN}"
    group = ProcessGroup(show=lambda name, line: said.append((name, line)))
    child = group.start("stubborn", python(code))
    wait_for_line(said, "stubborn")

    child.stop(within=0.1)

    assert child.exit_code == -signal.SIGKILL
    wait_until(lambda: not is_running(int(said[0][1])))


def test_the_end_of_a_child_is_told_with_its_last_words(tmp_path):
    with ProcessGroup() as group:
        child = group.start("fragile", python("print('I fail'); raise SystemExit(3)"))
        child._process.wait()
        child._reader.join()

        with pytest.raises(ChildDied, match=r"'fragile' ended with code 3(.|\n)*I fail"):
            group.check()


def test_last_words_are_read_from_the_log_file(tmp_path):
    log = tmp_path / "child.log"
    with ProcessGroup() as group:
        child = group.start("logging", python("print('written')"), log_file=log)
        child._process.wait()

        assert child.last_lines == ["written"]


def test_children_end_with_a_parent_that_is_killed():
    code = (
        "import django, time; django.setup()\n"
        "from tasker_project.processes import ProcessGroup\n"
        f"child = ProcessGroup().start('child', {python(PATIENT)!r})\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(python(code), stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())

    parent.kill()
    parent.wait()
    parent.stdout.close()

    wait_until(lambda: not is_running(pid))


@pytest.mark.parametrize("milliseconds", range(8))
def test_a_signal_in_the_middle_of_a_start_leaves_no_child_behind(milliseconds):
    me = os.getpid()
    before = children_of(me)
    sender = threading.Timer(milliseconds / 1000, os.kill, (me, signal.SIGTERM))

    with pytest.raises(KeyboardInterrupt):
        start_and_wait(sender)

    assert children_of(me) == before


def start_and_wait(sender):
    with interruptible(), ProcessGroup() as group:
        sender.start()
        group.start("child", python(PATIENT))
        time.sleep(60)


def is_running(pid):
    """Tell whether a process lives; what nobody reaped does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_taken_port_is_replaced():
    port = free_port(0)
    with socket.create_server((LOOPBACK, port)):
        other = free_port(port)

    assert other not in (port, 0)
    assert free_port(port) == port


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_interrupt_and_the_old_handlers_come_back(number):
    before = signal.getsignal(number)

    with pytest.raises(KeyboardInterrupt, match=signal.Signals(number).name), interruptible():
        signal.raise_signal(number)

    assert signal.getsignal(number) is before
