"""The edges of an interruption: where the exception may arrive, and that it arrives only once."""

import threading
import time
from typing import Any, cast

import pytest

from workers import StepContext, StepTimeoutError
from workers.context import Progress
from workers.executor.execution import Execution, Ticket
from workers.executor.invocation import _call
from workers.executor.watchdog import Watch, Watchdog


class Claimed:
    checkpoint = None


@pytest.fixture
def make_watch():
    """Return a maker of watches on this thread that only the test expires."""
    watchdog = Watchdog(grace_seconds=60, on_overdue=print)

    def make(*, is_armed=True):
        execution = Execution(cast("Any", Claimed()), progress=Progress(), timeout_seconds=60)
        watch = Watch(watchdog, execution, deadline=time.monotonic() + 60)
        if is_armed:
            watch.arm()
        return watch

    return make


def from_elsewhere(function):
    """Call a function on another thread and wait for its end."""
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def test_a_ticket_is_taken_once():
    ticket = Ticket()

    assert [ticket.take(), ticket.take()] == [True, False]


def test_a_watch_that_was_closed_does_not_expire(make_watch):
    watch = make_watch()

    watch.close()

    assert watch.expire() is False
    assert not watch.is_timed_out
    assert not watch.execution.progress.cancelled


def test_a_handler_that_was_hit_has_nothing_left_to_swallow(make_watch):
    watch = make_watch()

    with pytest.raises(StepTimeoutError):
        from_elsewhere(watch.expire)

    watch.close()
    watch.close()
    assert watch.is_timed_out


def test_a_watch_that_is_not_armed_only_turns_the_flags(make_watch):
    watch = make_watch(is_armed=False)

    from_elsewhere(watch.expire)
    watch.close()

    assert watch.is_timed_out
    assert watch.execution.progress.cancelled


def test_a_deadline_that_passes_before_the_call_is_a_timeout_of_the_call(make_watch):
    watch = make_watch(is_armed=False)
    called: list[StepContext] = []

    from_elsewhere(watch.expire)
    found = _call(called.append, StepContext(), watch)

    assert isinstance(found.error, StepTimeoutError)
    assert found.is_timed_out
    assert called == []


def test_closing_waits_until_the_exception_is_raised(make_watch):
    watch = make_watch()
    assert watch._ticket.take()  # as the watchdog does first
    watch.is_timed_out = True

    def settle():
        time.sleep(0.05)
        watch._is_settled = True

    thread = threading.Thread(target=settle)
    thread.start()
    started = time.monotonic()
    watch.close()

    assert time.monotonic() - started > 0.03
    thread.join()


def test_an_exception_between_the_handlers_end_and_the_end_of_its_watch_is_swallowed(make_watch):
    watch = make_watch()
    arrived: list[bool] = []

    class Late:
        """A watch that is hit at the entry of its first close."""

        def arm(self):
            watch.arm()

        def close(self):
            if not arrived:
                arrived.append(True)
                from_elsewhere(watch.expire)
                time.sleep(1)
            watch.close()

        @property
        def is_timed_out(self):
            return watch.is_timed_out

    found = _call(lambda context: {"a": 1}, StepContext(), cast("Any", Late()))

    assert found == ({"a": 1}, None, True)
    assert arrived == [True]
