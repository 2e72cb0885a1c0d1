"""Signals of a worker: who hears them, on which thread, and that a receiver can do no harm."""

import threading
from functools import partial

import pytest
from django.dispatch import Signal

from workers import signals


class Sender:
    """Somebody who tells."""


@pytest.fixture
def told() -> Signal:
    return Signal()


def fail_to_build():
    raise AssertionError("nobody listens, so nothing may be built")


def test_nothing_is_built_when_nobody_listens(told):
    signals.announce(told, None, fail_to_build)


def test_it_is_sent_at_once_outside_of_a_worker(told):
    heard = []

    def receive(sender, **arguments):
        heard.append((sender, arguments["number"], threading.current_thread()))

    told.connect(receive)

    signals.announce(told, Sender, lambda: {"number": 1})

    assert heard == [(Sender, 1, threading.current_thread())]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), KeyboardInterrupt()])
def test_a_receiver_that_raises_harms_nobody(told, error):
    heard = []

    def explode(sender, **arguments):
        raise error

    def receive(sender, **arguments):
        heard.append(sender)

    told.connect(receive)
    told.connect(explode)

    signals.announce(told, None, lambda: {"number": 1})

    assert heard == [None]


def test_a_receiver_that_hangs_keeps_nobody_waiting_in_a_worker(told):
    gate, heard = threading.Event(), []

    def hang(sender, number, **arguments):
        heard.append(number)
        gate.wait(30)

    told.connect(hang)
    signals.start_sending()
    try:
        for number in range(signals.MAX_WAITING + 10):
            signals.announce(told, None, partial(dict, number=number))
        gate.set()
    finally:
        signals.stop_sending(within_seconds=30)

    # the first one was on its way; of the others the oldest were dropped
    assert heard[-1] == signals.MAX_WAITING + 9
    assert len(heard) <= signals.MAX_WAITING + 1


def test_what_waits_is_sent_before_the_thread_ends(told):
    heard = []

    def receive(sender, number, **arguments):
        heard.append(number)

    told.connect(receive)
    signals.start_sending()

    for number in range(100):
        signals.announce(told, None, partial(dict, number=number))
    signals.stop_sending(within_seconds=30)

    assert heard == list(range(100))
