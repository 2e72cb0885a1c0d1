"""Signals: the first asks, the second forces, SIGUSR1 wishes a status line."""

import os
import signal
import threading
import time

import pytest

from orchestration.runtime.shutdown import Shutdown


@pytest.fixture
def shutdown():
    instance = Shutdown()
    instance.install()
    yield instance
    instance.uninstall()


def send(number: signal.Signals, *, after_seconds: float = 0.05) -> None:
    threading.Timer(after_seconds, os.kill, [os.getpid(), number]).start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_at_once(shutdown, number):
    began = time.monotonic()
    send(number)

    while not shutdown.is_asked and time.monotonic() - began < 5:
        shutdown.wait(10)

    assert shutdown.is_asked
    assert not shutdown.is_forced
    assert time.monotonic() - began < 1


def test_the_second_signal_forces_and_the_third_is_the_kernels(shutdown):
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)

    assert shutdown.is_forced
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_sigusr1_wishes_one_status_line(shutdown):
    os.kill(os.getpid(), signal.SIGUSR1)

    assert shutdown.take_status_wish()
    assert not shutdown.take_status_wish()
    assert not shutdown.is_asked


def test_a_wish_from_a_thread_wakes_the_main_thread(shutdown):
    began = time.monotonic()
    threading.Timer(0.05, shutdown.ask).start()

    shutdown.wait(10)

    assert shutdown.is_asked
    assert time.monotonic() - began < 1


def test_a_wish_that_comes_both_ways_is_one(shutdown):
    os.kill(os.getpid(), signal.SIGTERM)
    shutdown.hear(1)

    assert shutdown.is_asked
    assert not shutdown.is_forced

    shutdown.hear(2)

    assert shutdown.is_forced


def test_a_wish_that_comes_after_the_end_is_none(shutdown):
    ended = Shutdown()
    ended.uninstall()

    ended.hear(1)


def test_uninstall_puts_the_handlers_back():
    before = signal.getsignal(signal.SIGTERM)
    shutdown = Shutdown()
    shutdown.install()

    shutdown.uninstall()

    assert signal.getsignal(signal.SIGTERM) is before
