"""Notifications wake; a lost connection is replaced, its listening and its lock restored."""

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from django.db import connections

from orchestration.messaging import listener as listener_module
from orchestration.messaging.listener import Listener
from orchestration.process import Process
from orchestration.runtime import database, sessions
from orchestration.runtime.identity import identify_process

SOON = 5.0
pytestmark = pytest.mark.django_db(transaction=True)


class Woken:
    """Counts wake-ups and lets a test wait for the next one."""

    def __init__(self) -> None:
        self.count = 0
        self._semaphore = threading.Semaphore(0)

    def __call__(self) -> None:
        self.count += 1
        self._semaphore.release()

    def wait(self, within_seconds: float = SOON) -> bool:
        return self._semaphore.acquire(timeout=within_seconds)


def query(statement: str, *parameters: str) -> list[tuple[object, ...]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def listener_pids(name: str) -> list[int]:
    rows = query("SELECT pid FROM pg_stat_activity WHERE application_name = %s", name)
    return [int(str(row[0])) for row in rows]


def kill_connection(name: str) -> None:
    query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", name
    )


def is_lock_free(key: UUID) -> bool:
    row = query(
        "SELECT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND ((classid::bigint << 32) | objid::bigint) = hashtextextended(%s, 0))",
        str(key),
    )[0]
    return bool(row[0])


@pytest.fixture
def name() -> str:
    return f"test:{uuid4().hex[:12]}"


@pytest.fixture
def listen(name: str) -> Iterator[Callable[..., Listener]]:
    """Start a listener and stop it after the test."""
    running: list[tuple[Listener, threading.Event]] = []

    def start(channels, *, on_reconnect=lambda: None, liveness_lock=None) -> Listener:
        ended = threading.Event()
        listener = Listener(
            channels,
            on_reconnect=on_reconnect,
            liveness_lock=liveness_lock,
            application_name=name,
        )
        listener.start(ended.set)
        running.append((listener, ended))
        assert listener.wait_connected(SOON)
        return listener

    yield start
    for listener, ended in running:
        listener.stop()
        assert ended.wait(SOON)
        assert not listener.is_running


def test_a_notification_wakes_only_the_one_that_asked_for_its_channel(listen):
    payments, inventory = Woken(), Woken()
    listen({"ready.payments": payments, "ready.inventory": inventory})

    query("SELECT pg_notify('ready.payments', 'not even json')")

    assert payments.wait()
    assert inventory.count == 0


def test_many_notifications_of_one_transaction_wake_everybody(listen):
    first, second = Woken(), Woken()
    listen({"one": first, "two": second})

    query(
        "SELECT pg_notify(c, i::text) FROM generate_series(1, 50) i, unnest('{one,two}'::text[]) c"
    )

    assert first.wait()
    assert second.wait()


def test_the_first_connection_drains_too(listen):
    drained = Woken()

    listen({}, on_reconnect=drained)

    assert drained.count == 1


def test_a_killed_connection_is_replaced_and_everything_drained(listen, name, monkeypatch):
    monkeypatch.setattr(database, "FIRST_PAUSE_SECONDS", 0.1)
    woken, drained = Woken(), Woken()
    listener = listen({"ready": woken}, on_reconnect=drained)
    assert drained.wait()
    (old,) = listener_pids(name)

    kill_connection(name)

    assert woken.wait()  # told to fall back to polling
    assert drained.wait()
    assert listener.is_connected
    assert listener.down_seconds == 0
    assert old not in listener_pids(name)
    query("SELECT pg_notify('ready', '')")
    assert woken.wait()


def test_the_liveness_lock_is_held_while_connected_and_taken_again(listen, name, monkeypatch):
    monkeypatch.setattr(database, "FIRST_PAUSE_SECONDS", 0.1)
    key, drained = uuid4(), Woken()
    listener = listen({}, on_reconnect=drained, liveness_lock=key)
    assert drained.wait()
    assert listener.has_liveness_lock
    assert not is_lock_free(key)

    kill_connection(name)

    assert drained.wait()
    assert listener.has_liveness_lock
    assert not is_lock_free(key)


def test_a_lock_that_a_dead_session_still_holds_is_taken_when_it_goes(listen, monkeypatch):
    key = uuid4()
    query("SELECT pg_advisory_lock(hashtextextended(%s, 0))", str(key))
    listener = listen({}, liveness_lock=key)
    assert not listener.has_liveness_lock

    query("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", str(key))

    deadline = time.monotonic() + SOON
    while not listener.has_liveness_lock and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    assert listener.has_liveness_lock


def test_stopping_frees_the_lock(name, eventually):
    key, ended = uuid4(), threading.Event()
    listener = Listener({}, on_reconnect=lambda: None, liveness_lock=key, application_name=name)
    listener.start(ended.set)
    assert listener.wait_connected(SOON)

    listener.stop()

    assert ended.wait(SOON)
    eventually(lambda: is_lock_free(key))


def test_a_direct_connection_proves_itself(listen):
    listener = listen({})

    assert listener.prove()


def test_a_session_that_ends_during_the_proof_does_not_fail_it(listen, name):
    """Symptom: a process that was cut off while it started ended with "bad configuration"."""
    listener = listen({})
    kill_connection(name)

    assert listener.prove()


def test_a_listener_that_lost_its_channels_fails_the_proof(listen):
    """A transaction pooler drops LISTEN without an error; another database looks the same."""
    listener = listen({})
    listener._probe_channel = "somewhere_else"

    assert not listener.prove(within_seconds=0.3)


def test_a_connection_that_died_unseen_is_noticed_by_its_silence(
    listen, settings, door, monkeypatch
):
    monkeypatch.setattr(listener_module, "CHECK_SECONDS", 0.2)
    monkeypatch.setattr(database, "FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(database, "_UnpooledConnection", sessions.impatient_connection(0.3))
    settings.DATABASE_DIRECT_URL = door.url
    woken, drained = Woken(), Woken()
    listener = listen({"ready": woken}, on_reconnect=drained)
    assert drained.wait()
    threading.Event().wait(0.5)
    assert listener.is_connected  # it was asked, and answered

    door.swallow()

    assert woken.wait()  # told to fall back to polling
    assert drained.wait()
    query("SELECT pg_notify('ready', '')")
    assert woken.wait()


def test_a_notification_beside_an_answer_wakes_too(listen, monkeypatch):
    """What arrives while the server answers a question of the listener's."""
    monkeypatch.setattr(listener_module, "CHECK_SECONDS", 0.01)
    monkeypatch.setattr(listener_module, "QUESTION", "SELECT pg_sleep(0.3)")
    woken = Woken()
    listen({"ready": woken})
    threading.Event().wait(0.1)

    query("SELECT pg_notify('ready', '')")

    assert woken.wait()


def test_an_unreachable_server_is_reported_and_stopping_does_not_wait(settings, caplog):
    settings.DATABASE_DIRECT_URL = "postgresql://127.0.0.1:1/nowhere"
    ended = threading.Event()
    listener = Listener({}, on_reconnect=lambda: None)

    listener.start(ended.set)

    assert not listener.wait_connected(0.3)
    listener.stop()
    assert ended.wait(SOON)
    assert listener.failure is None
    assert "listener.disconnected" in caplog.text


def test_a_lost_connection_is_tried_again_at_once_when_others_have_theirs(
    listen, name, monkeypatch, eventually
):
    monkeypatch.setattr(database, "FIRST_PAUSE_SECONDS", 600)
    drained = Woken()
    listener = listen({}, on_reconnect=drained)
    assert drained.wait()
    kill_connection(name)
    eventually(lambda: not listener.is_connected)

    listener.hurry()

    assert drained.wait()
    assert listener.is_connected


def test_a_hurry_that_comes_too_late_is_forgotten(listen, eventually):
    woken = Woken()
    listener = listen({"ready": woken})

    os.write(listener._write_fd, b".")  # as when the connection came back in between

    eventually(lambda: not select.select([listener._read_fd], [], [], 0)[0])
    query("SELECT pg_notify('ready', '')")
    assert woken.wait()


@pytest.mark.parametrize(
    ("mode", "deaf", "hearing"),
    [("Hybrid", 0.25, 5), ("EventDrivenOnly", 0.25, 30), ("PollingOnly", 0.25, 0.25)],
)
def test_who_hears_nothing_polls_as_if_there_were_nothing_to_hear(
    listen, settings, mode, deaf, hearing
):
    settings.TASKER = {**settings.TASKER, "polling_only_ms": 250, "sweep_seconds": 30}
    process = Process(identify_process("worker"), mode=mode, http_port=0)

    before = process.poll_seconds(poll_ms=5000)
    if process.listens:
        process.listener = listen({"some_channel": lambda: None})
        assert process.listener.wait_connected(SOON)

    assert (before, process.poll_seconds(poll_ms=5000)) == (deaf, hearing)
