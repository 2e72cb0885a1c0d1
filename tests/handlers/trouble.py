"""Trouble that the database makes by itself: it refuses, or it takes its time."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connections

from tests.processes import database_url

REFUSE = """
CREATE FUNCTION tests_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE data_exception USING MESSAGE = 'no place for this step';
END $$;
CREATE TRIGGER tests_refuse BEFORE UPDATE ON tasker_workflow_steps FOR EACH ROW
WHEN (NEW.name = 'poison' AND NEW.state = 'complete') EXECUTE FUNCTION tests_refuse();
"""
HOLD = """
CREATE FUNCTION tests_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  WHILE NOT pg_try_advisory_xact_lock_shared(%s) LOOP
    PERFORM pg_sleep(0.02);
  END LOOP;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tests_hold AFTER INSERT ON %s
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (%s) EXECUTE FUNCTION tests_hold();
"""
HELD = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event = 'PgSleep' AND datname = current_database()
"""
GATE = 4711  # an advisory lock


@contextmanager
def _installed(statement: str, function: str) -> Iterator[None]:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement)
    try:
        yield
    finally:
        with connections["default"].cursor() as cursor:
            cursor.execute(f"DROP FUNCTION IF EXISTS {function}() CASCADE")


@contextmanager
def poisonous_steps() -> Iterator[None]:
    """Let the database refuse every completion of a step named poison, as a full disk would."""
    with _installed(REFUSE, "tests_refuse"):
        yield


class HeldCommits:
    """Commits that wait until they are let go."""

    def __init__(self, gate: "psycopg.Connection[tuple[object, ...]]") -> None:
        self._gate = gate

    @property
    def is_any_held(self) -> bool:
        """Whether a commit waits."""
        with connections["default"].cursor() as cursor:
            cursor.execute(HELD)
            return bool(cursor.fetchone()[0])

    def let_go(self) -> None:
        """Let all of them go, and those that come."""
        self._gate.execute("SELECT pg_advisory_unlock_all()")


@contextmanager
def held_commits(table: str, *, when: str) -> Iterator[HeldCommits]:
    """Hold every commit that adds such a row to the table, as a standby that is away would."""
    with (
        psycopg.connect(database_url(), autocommit=True) as gate,
        _installed(HOLD % (GATE, table, when), "tests_hold"),
    ):
        gate.execute("SELECT pg_advisory_lock(%s)", [GATE])
        held = HeldCommits(gate)
        try:
            yield held
        finally:
            held.let_go()
