"""A circuit breaker: its states as a table with a clock of our own, trials by many threads."""

import logging
import threading

import psycopg
import psycopg_pool
import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, ProgrammingError
from django.test import override_settings

from orchestration import metrics
from orchestration.errors import CircuitOpenError
from orchestration.runtime import breaker as module
from orchestration.runtime.breaker import (
    MESSAGING,
    WEB_DATABASE,
    CircuitBreaker,
    State,
    breaker,
)
from orchestration.runtime.failures import (
    is_database_failing,
    is_database_gone,
    is_statement_failing,
)
from templates_registry.conf import BREAKER_OFF, BreakerRule

RULE = BreakerRule(failures=3, within_seconds=60, open_seconds=30, successes=2)


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def sut(time) -> CircuitBreaker:
    return CircuitBreaker("test", RULE, clock=time)


def call(sut: CircuitBreaker, event: str) -> str:
    """Make one call that succeeds or fails, or find that it is refused."""
    try:
        with sut.guard(lambda error: isinstance(error, OSError)):
            if event == "fail":
                raise OSError
            if event == "mistake":
                raise ValueError
    except CircuitOpenError:
        return "refused"
    except (OSError, ValueError):
        pass
    return "let through"


C, H, O = State.CLOSED, State.HALF_OPEN, State.OPEN  # noqa: E741


@pytest.mark.parametrize(
    ("story", "state"),
    [
        # closed: failures add up, within the time, without a success in between
        ([], C),
        (["fail", "fail"], C),
        (["fail", "fail", "fail"], O),
        (["fail", "fail", "ok", "fail", "fail"], C),
        (["fail", "fail", "mistake", "fail"], O),  # says nothing about what is guarded
        (["fail", 30, "fail", 31, "fail"], C),
        (["fail", 30, "fail", 30, "fail"], O),
        (["fail", 61, "fail", "fail", "fail"], O),
        # open: nobody is let through until the time is over
        (["fail", "fail", "fail", 29.9], O),
        (["fail", "fail", "fail", 29.9, "ok", "ok"], O),
        (["fail", "fail", "fail", 30], H),
        # half-open: so many successes in a row close it, one failure opens it again
        (["fail", "fail", "fail", 30, "ok"], H),
        (["fail", "fail", "fail", 30, "ok", "ok"], C),
        (["fail", "fail", "fail", 30, "mistake", "mistake", "ok"], H),
        (["fail", "fail", "fail", 30, "fail"], O),
        (["fail", "fail", "fail", 30, "ok", "fail"], O),
        (["fail", "fail", "fail", 30, "fail", 29.9], O),
        (["fail", "fail", "fail", 30, "fail", 30], H),
        (["fail", "fail", "fail", 30, "ok", "fail", 30, "ok"], H),
        (["fail", "fail", "fail", 30, "ok", "fail", 30, "ok", "ok"], C),
        # closed again: it starts to count anew
        (["fail", "fail", "fail", 30, "ok", "ok", "fail", "fail"], C),
        (["fail", "fail", "fail", 30, "ok", "ok", "fail", "fail", "fail"], O),
    ],
)
def test_the_states(sut, time, story, state):
    for event in story:
        if isinstance(event, str):
            call(sut, event)
        else:
            time.now += event

    assert sut.state is state


def test_an_open_breaker_refuses_and_says_how_long(sut, time):
    for _ in range(3):
        call(sut, "fail")
    time.now += 10

    with pytest.raises(CircuitOpenError, match=r"'test' is open .* in 20 s") as caught, sut.admit():
        raise AssertionError("let through")

    assert caught.value.retry_after_seconds == 20
    with pytest.raises(CircuitOpenError):
        sut.check()
    assert (sut.calls, sut.rejections) == (3, 2)


def test_one_trial_at_a_time(sut, time):
    for _ in range(3):
        call(sut, "fail")
    time.now += 30

    with sut.admit():
        sut.check()
        assert call(sut, "ok") == "refused"
        assert sut.retry_after_seconds == module.TRIAL_SECONDS
    assert call(sut, "ok") == "let through"


def test_a_trial_that_learned_nothing_leaves_its_place_to_the_next(sut, time):
    for _ in range(3):
        call(sut, "fail")
    time.now += 30

    call(sut, "mistake")

    assert sut.state is H
    assert call(sut, "ok") == "let through"


def test_of_many_threads_one_has_the_trial(sut, time):
    for _ in range(3):
        call(sut, "fail")
    time.now += 30
    together, answers = threading.Barrier(20), []
    inside = threading.Semaphore(0)
    release = threading.Event()

    def work():
        together.wait()
        try:
            with sut.admit():
                inside.release()
                release.wait(5)
                answers.append("tried")
        except CircuitOpenError:
            answers.append("refused")

    threads = [threading.Thread(target=work) for _ in range(20)]
    for each in threads:
        each.start()
    assert inside.acquire(timeout=5)
    while len(answers) < 19:
        assert not inside.acquire(timeout=0.01), "a second trial"
    release.set()
    for each in threads:
        each.join()

    assert sorted(answers) == ["refused"] * 19 + ["tried"]


def test_calls_that_began_before_it_opened_do_not_prolong_or_close_it(sut, time):
    for _ in range(3):
        sut.record(is_failure=True)
    opened = sut.next_trial_at
    sut.record(is_failure=True)
    for _ in range(5):
        sut.record(is_failure=False)

    assert sut.state is O
    assert abs((sut.next_trial_at - opened).total_seconds()) < 0.1


def test_watching_never_refuses(sut):
    for _ in range(5):
        with pytest.raises(OSError), sut.observe(lambda error: isinstance(error, OSError)):  # noqa: PT011
            raise OSError

    assert sut.state is O
    with sut.observe(lambda error: True):
        pass


def test_a_breaker_that_is_off_never_opens(time):
    sut = CircuitBreaker("test", BREAKER_OFF, clock=time)

    for _ in range(100):
        assert call(sut, "fail") == "let through"

    assert sut.state is C


def test_it_says_what_it_does(sut, time, caplog):
    caplog.set_level(logging.INFO)
    calls = metrics.BREAKER_CALLS.value
    for _ in range(3):
        call(sut, "fail")
    opened = sut.describe()
    time.now += 30
    for _ in range(2):
        call(sut, "ok")

    assert [record.message for record in caplog.records] == [
        "breaker.opened",
        "breaker.half_open",  # said once, however many trials there are
        "breaker.closed",
    ]
    assert caplog.records[0].breaker == "test"
    assert (opened["state"], opened["failures"], opened["calls"]) == ("open", 3, 3)
    assert (opened["next_trial_at"] - opened["opened_at"]).total_seconds() == pytest.approx(
        30, 0.01
    )
    assert metrics.BREAKER_CALLS.value == calls + 5
    assert sut.describe() | {"calls": 0} == {
        "state": "closed",
        "failures": 0,
        "opened_at": None,
        "next_trial_at": None,
        "calls": 0,
        "rejections": 0,
    }


def test_a_process_has_one_of_each_name_until_its_rule_changes():
    first = breaker(WEB_DATABASE)

    assert breaker(WEB_DATABASE) is first
    assert breaker(MESSAGING).rule == (3, 60, 15, 2)
    with override_settings(TASKER={"breaker_web_database": "1,2,3,4"}):
        assert breaker(WEB_DATABASE).rule == (1, 2, 3, 4)


# ---------------------------------------------------------------- what counts


def wrapped(kind: type[Exception], cause: Exception) -> Exception:
    error = kind("as Django hands it on")
    error.__cause__ = cause
    return error


ERRORS = psycopg.errors
GONE, SLOW, FAILING, HARMLESS = "gone", "slow", "failing", "harmless"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (wrapped(OperationalError, psycopg.OperationalError("connection refused")), GONE),
        (wrapped(OperationalError, psycopg_pool.PoolTimeout("no connection in 5 s")), GONE),
        (wrapped(OperationalError, ERRORS.AdminShutdown()), GONE),
        (wrapped(OperationalError, ERRORS.CrashShutdown()), GONE),
        (wrapped(OperationalError, ERRORS.CannotConnectNow()), GONE),
        (wrapped(OperationalError, ERRORS.TooManyConnections()), GONE),
        (wrapped(OperationalError, ERRORS.ConnectionFailure()), GONE),
        (wrapped(InterfaceError, psycopg.InterfaceError("the connection is closed")), GONE),
        (psycopg.OperationalError("not wrapped"), GONE),
        (wrapped(OperationalError, ERRORS.QueryCanceled()), SLOW),
        (wrapped(OperationalError, ERRORS.DiskFull()), FAILING),
        (wrapped(ProgrammingError, ERRORS.UndefinedTable()), FAILING),
        (wrapped(ProgrammingError, ERRORS.InsufficientPrivilege()), FAILING),
        (wrapped(IntegrityError, ERRORS.UniqueViolation()), HARMLESS),
        (wrapped(IntegrityError, ERRORS.CheckViolation()), HARMLESS),
        (wrapped(OperationalError, ERRORS.DeadlockDetected()), HARMLESS),
        (wrapped(OperationalError, ERRORS.SerializationFailure()), HARMLESS),
        (wrapped(OperationalError, ERRORS.LockNotAvailable()), HARMLESS),
        (wrapped(ProgrammingError, ERRORS.RaiseException()), HARMLESS),
        (wrapped(OperationalError, ERRORS.NumericValueOutOfRange()), HARMLESS),
        (OperationalError("without a cause"), HARMLESS),
        (ValueError("no error of the database"), HARMLESS),
        (CircuitOpenError("x", retry_after_seconds=1), HARMLESS),
    ],
    ids=lambda value: type(getattr(value, "__cause__", value) or value).__name__,
)
def test_which_errors_count(error, kind):
    assert is_database_gone(error) is (kind == GONE)
    assert is_database_failing(error) is (kind in (GONE, SLOW))
    assert is_statement_failing(error) is (kind in (SLOW, FAILING))
