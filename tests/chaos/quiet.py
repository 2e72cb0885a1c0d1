"""Waiting until nothing more happens: all tasks at rest, all queues empty; not for ever."""

import time
from collections.abc import Callable
from typing import Any

import psycopg

from tests.chaos.evidence import queue_depths
from tests.chaos.server import Server

LONGEST_SECONDS = 180.0
STILL_SECONDS = 45.0  # longer than the pauses between five reads of a message that nobody can use
LOOK_SECONDS = 0.5
UNRESTED = """
SELECT count(*) FROM tasker_tasks
WHERE state NOT IN ('complete', 'blocked_by_failures', 'error', 'cancelled', 'resolved_manually')
"""
MOVES = """
SELECT (SELECT count(*) FROM tasker_task_transitions)
     + (SELECT count(*) FROM tasker_workflow_step_transitions)
"""


def wait_for_quiet(server: Server, *, tick: Callable[[], None]) -> float:
    """Wait, `tick` meanwhile; return the seconds it took, or after which it was given up."""
    began = last_move = time.monotonic()
    seen: tuple[Any, ...] = ()
    while time.monotonic() - began < LONGEST_SECONDS:
        tick()
        picture = _look(server)
        if picture[:2] == (0, 0):
            break
        if picture != seen:
            seen, last_move = picture, time.monotonic()
        if time.monotonic() - last_move > STILL_SECONDS:
            break
        time.sleep(LOOK_SECONDS)
    return time.monotonic() - began


def _look(server: Server) -> tuple[int, int, int]:
    try:
        with server.connect(within=1) as connection:
            unrested: Any = connection.execute(UNRESTED).fetchone()
            moves: Any = connection.execute(MOVES).fetchone()
            return unrested[0], sum(queue_depths(connection).values()), moves[0]
    except psycopg.OperationalError:
        return -1, -1, -1
