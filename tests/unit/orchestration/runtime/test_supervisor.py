"""The supervisor starts parts in order, stops them in reverse, and gives the right exit code."""

import threading
import time
from collections.abc import Callable

import pytest

from orchestration.runtime.loop import Loop
from orchestration.runtime.shutdown import Shutdown
from orchestration.runtime.supervisor import EXIT_ASKED, EXIT_DIED, Supervisor

SOON = 5.0


class Recorder:
    """A part that writes down what happens to it."""

    def __init__(self, name: str, journal: list[str], *, obeys: bool = True) -> None:
        self.name = name
        self.stop_seconds = 0.1
        self.failure: BaseException | None = None
        self.is_running = False
        self._journal = journal
        self._obeys = obeys

    def start(self, on_end: Callable[[], None]) -> None:
        self.is_running = True
        self._journal.append(f"start {self.name}")

    def stop(self) -> None:
        self._journal.append(f"stop {self.name}")
        if self._obeys:
            self.is_running = False

    def abandon(self) -> None:
        self._journal.append(f"abandon {self.name}")


@pytest.fixture
def shutdown():
    instance = Shutdown()
    yield instance
    instance.uninstall()


def run_and_ask(supervisor: Supervisor, shutdown: Shutdown) -> int:
    threading.Timer(0.05, shutdown.ask).start()
    return supervisor.run()


def test_parts_start_in_order_and_stop_in_reverse(shutdown):
    journal: list[str] = []
    supervisor = Supervisor([Recorder("a", journal), Recorder("b", journal)], shutdown)

    code = run_and_ask(supervisor, shutdown)

    assert code == EXIT_ASKED
    assert journal == ["start a", "start b", "stop b", "stop a"]
    assert supervisor.operational_state == "stopped"


def test_a_part_that_does_not_end_is_abandoned_after_its_limit(shutdown):
    journal: list[str] = []
    supervisor = Supervisor([Recorder("stuck", journal, obeys=False)], shutdown)
    began = time.monotonic()

    code = run_and_ask(supervisor, shutdown)

    assert code == EXIT_ASKED
    assert journal[-1] == "abandon stuck"
    assert time.monotonic() - began < SOON


def test_a_second_wish_cuts_the_waiting_short(shutdown):
    journal: list[str] = []
    stuck = Recorder("stuck", journal, obeys=False)
    stuck.stop_seconds = 60.0
    supervisor = Supervisor([stuck], shutdown)
    threading.Timer(0.2, shutdown.ask).start()
    began = time.monotonic()

    run_and_ask(supervisor, shutdown)

    assert journal[-1] == "abandon stuck"
    assert time.monotonic() - began < SOON


def test_a_dying_loop_stops_the_process_with_code_1(shutdown):
    def explode() -> int:
        raise ValueError("bad")

    steady = Loop("steady", lambda: 0, idle_seconds=60)
    supervisor = Supervisor([steady, Loop("dying", explode, idle_seconds=60)], shutdown)

    code = supervisor.run()

    assert code == EXIT_DIED
    assert not steady.is_running


def test_the_state_is_graceful_while_parts_stop(shutdown):
    states: list[str] = []
    supervisor = Supervisor(
        [Recorder("a", [])],
        shutdown,
        on_stopping=lambda: states.append(supervisor.operational_state),
    )

    run_and_ask(supervisor, shutdown)

    assert states == ["graceful_shutdown"]
