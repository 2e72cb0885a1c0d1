"""Has turns of the engine killed after whatever they sent, and looks at what they left.

The turns are done by `tests.crash_driver`, one process for a whole test.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from tests.crash_driver import APPLICATION_NAME
from tests.factories import ticks
from tests.processes import PROJECT, child_environment, wait_until

MOST_STATEMENTS = 40


class Crashes:
    """One driver of turns that break in the middle."""

    def __init__(self, driver: "subprocess.Popen[str]") -> None:
        self.driver = driver

    def do(self, turn: str, *, after: int, how: str = "kill", in_flight: bool = False) -> str:
        """Do a turn that breaks at the so-manieth thing it sends: `killed`, `cut` or `done`."""
        return self._ask(turn=turn, after=after, how=how, in_flight=in_flight, given={})

    def kills(self, turn: str, *, after: int, **given: Any) -> bool:
        """Do a turn that dies after so many statements and commits; tell whether it did."""
        return self._ask(turn=turn, after=after, given=given) == "killed"

    def everywhere(self, turn: str, **given: Any) -> int:
        """Kill a turn after each of its statements; return after how many it was done."""
        before = everything()
        for count in range(1, MOST_STATEMENTS):
            assert self.kills(turn, after=count, **given), f"{turn} has done nothing"
            if everything() != before:
                ticks.assert_invariants()
                return count
        raise AssertionError(f"{turn} sends more than {MOST_STATEMENTS} statements")

    def _ask(self, **wish: Any) -> str:
        assert self.driver.stdin
        assert self.driver.stdout
        self.driver.stdin.write(json.dumps(wish) + "\n")
        self.driver.stdin.flush()
        said: str = self.driver.stdout.readline().strip()
        assert said in ("killed", "cut", "done"), f"{wish}: {said}"
        wait_until(is_session_over)
        return said


@contextmanager
def started() -> Iterator[Crashes]:
    """Start a driver; end it with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash_driver"],
        env=child_environment(),
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as driver:
        yield Crashes(driver)
        assert driver.stdin
        driver.stdin.close()
        driver.wait(10)


def ask(statement: str, *values: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def is_session_over() -> bool:
    """Tell whether the server has noticed that the client is dead."""
    # An idle session has nothing left to undo; a pooler keeps it when its client is gone.
    found = ask(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = %s AND state <> 'idle'",
        APPLICATION_NAME,
    )
    return not found


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the engine's tables and queues, with when a message is visible."""
    tables = ask(
        "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables "
        "WHERE tablename LIKE 'tasker\\_%%' OR schemaname = 'pgmq' AND tablename ~ '^[qa]_' "
        "ORDER BY 1"
    )
    assert len(tables) > 15
    return {
        table: ask(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1")  # noqa: S608
        for (table,) in tables
    }
