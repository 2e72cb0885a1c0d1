"""Looking at a thread's connections: only at those that it may have."""

import pytest
from django.db.backends.signals import connection_created

from orchestration.runtime import database
from workers.executor import thread_connections
from workers.executor.thread_connections import check_connections, clean_connections


class Connection:
    """One that was opened, and must not be used again."""

    alias = "default"
    in_atomic_block = False

    def __init__(self):
        self.calls = []

    def close_if_unusable_or_obsolete(self):
        self.calls.append("checked")

    def close(self):
        self.calls.append("closed")


class Connections(dict[str, Connection]):
    """What Django keeps of a thread."""

    def all(self, *, initialized_only):
        return list(self.values())

    def close_all(self):
        for each in self.values():
            each.close()


@pytest.fixture
def opened(monkeypatch):
    """Return the one connection of this thread, which has given it back."""
    connection = Connection()
    for module in (database, thread_connections):
        monkeypatch.setattr(module, "connections", Connections(default=connection))
    database.note_opened()
    database.release_connections()
    connection.calls.clear()
    yield connection
    database.note_opened()


def test_connections_that_were_given_back_are_not_looked_at(opened):
    outer = check_connections()
    clean_connections(outer)
    database.release_connections()

    assert opened.calls == []


def test_a_connection_opened_since_is_checked_and_given_back(opened):
    outer = check_connections()
    connection_created.send(sender=Connection, connection=opened)
    clean_connections(outer)
    database.release_connections()

    assert opened.calls == ["checked", "closed"]


def test_after_an_interruption_everything_is_closed(opened):
    clean_connections(frozenset(), is_interrupted=True)

    assert opened.calls == ["closed"]
