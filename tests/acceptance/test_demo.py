"""`manage.py demo` on an embedded server of its own, as somebody does with a fresh clone."""

import os
import pty
import re
import signal

import pytest

from templates_registry.registry.sources import EXAMPLES
from tests.marked_command import MarkedCommand
from tests.processes import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
READY = r"admin +(http://\S+)"


@pytest.fixture
def demo(tmp_path):
    started = []

    def start(*options, **environment):
        command = ("demo", "--port", "0", *options)
        started.append(MarkedCommand(tmp_path, *command, **environment))
        return started[-1]

    yield start
    for each in started:
        each.end()


def test_demo_without_a_terminal_ends_well_when_every_outcome_is_expected(demo):
    running = demo()

    assert running.child.wait(90) == 0, running.output
    running.says(READY)
    table = [line for line in running.output.splitlines() if re.search("│ +yes +│", line)]
    assert len(table) == 17
    assert "flaky payment            │ complete            │ 4/4   │ 1 1 3 1" in running.output
    assert "declined payment         │ blocked_by_failures │ 2/4   │ 1 1 1 0" in running.output
    assert "a gateway that is down   │ complete            │ 4/4   │ 1 2 1 1" in running.output
    assert "a source that is gone    │ blocked_by_failures │ 4/8   │ " in running.output
    assert "total 115.08" in running.output.replace("\n", " ")
    assert re.search(r"user admin, password \S{16}\)", running.output)
    assert running.is_gone()


def test_demo_runs_one_workflow_as_often_as_asked(demo):
    running = demo("--exit", "--workflow", "accounts/register_user", "--count", "2")

    assert running.child.wait(90) == 0, running.output
    assert len(re.findall(r"Ada registers: complete", running.output)) == 2
    assert "tea and pots" not in running.output


def test_demo_fails_and_says_what_differs_when_an_outcome_is_not_the_expected_one(demo, tmp_path):
    newer = (
        (EXAMPLES / "process_order.yaml").read_text().replace("version: 1.0.0", "version: 1.1.0")
    )
    (tmp_path / "newer.yaml").write_text(newer.replace("max_attempts: 4", "max_attempts: 1"))

    running = demo("--exit", TASKER_TEMPLATE_PATHS=str(tmp_path / "newer.yaml"))

    assert running.child.wait(90) == 1, running.output
    assert re.search(
        r"Not as expected: flaky payment .*process_payment took 1 attempts, expected 3",
        running.output,
    )
    assert len(re.findall("Not as expected: ", running.output)) == len(
        re.findall("Not as expected: flaky payment", running.output)
    )
    assert running.is_gone()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_leaves_nothing_behind_when_it_is_interrupted(demo, number):
    running = demo()
    wait_until(lambda: running.processes(named="run_worker"), within=60)

    running.child.send_signal(number)

    assert running.child.wait(60) == 130
    assert running.is_gone()


def test_demo_leaves_nothing_behind_when_it_is_killed(demo):
    running = demo()
    wait_until(lambda: running.processes(named="run_worker"), within=60)

    running.child.kill()

    wait_until(running.is_gone, within=30)


def test_demo_says_which_process_died_and_leaves_nothing_behind(demo):
    running = demo(TASKER_WORKER_NAMESPACES="there_is_none")

    assert running.child.wait(90) == 1
    assert "The process 'worker' ended with code 2" in running.output
    assert "there_is_none" in running.output
    assert running.is_gone()


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        (("--workflow", "payments/none"), {}, "no example workflow 'payments/none'"),
        (("--count", "0"), {}, "--count 0"),
        (
            (),
            {
                "TASKER_ENV": "production",
                "DJANGO_SECRET_KEY": "s" * 50,
                "DJANGO_ALLOWED_HOSTS": "tasker.example.com",
            },
            "demo has no place in production",
        ),
    ],
)
def test_demo_refuses_what_it_cannot_do(demo, options, environment, said):
    running = demo(*options, **environment)

    assert running.child.wait(30) == 2
    running.says(said)


def test_demo_on_a_terminal_stays_until_it_is_interrupted(tmp_path):
    mine, its = pty.openpty()
    running = MarkedCommand(tmp_path, "demo", "--port", "0", terminal=its)
    os.close(its)
    try:
        shown = read_until(mine, b"Stop with Ctrl-C")
        assert running.child.poll() is None

        running.child.send_signal(signal.SIGINT)

        read_until(mine, b"Stopping")
        assert running.child.wait(30) == 0
        assert b"flaky payment" in shown
        assert running.is_gone()
    finally:
        running.end()
        os.close(mine)


def read_until(descriptor, text):
    """Read a terminal until it shows a text."""
    shown = b""
    while text not in shown:
        shown += os.read(descriptor, 4096)
    return shown
