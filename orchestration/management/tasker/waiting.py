"""Wait until tasks have come to rest, and tell by the exit code how they ended."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from orchestration.access.principals import Principal
from orchestration.api.task_answers import task_line
from orchestration.management.tasker.verb import Exit
from orchestration.states import TaskState

UNTIL = {"resting": "is_resting", "terminal": "is_terminal"}
GOOD_ENDS = frozenset({TaskState.COMPLETE, TaskState.RESOLVED_MANUALLY})
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 1.0


class Waited(NamedTuple):
    """What was waited for: the bodies of the tasks without steps, and the exit code."""

    tasks: list[dict[str, Any]]
    exit_code: Exit


def wait_for(
    uuids: Iterable[UUID], principal: Principal, *, until: str, timeout_seconds: float
) -> Waited:
    """Look at tasks until all of them rest, or the time is over; raises `NotFoundError`."""
    deadline = time.monotonic() + timeout_seconds
    seen: dict[UUID, dict[str, Any]] = {each: {} for each in uuids}
    pause = SHORTEST_PAUSE_SECONDS
    while True:
        for each in [each for each, body in seen.items() if not body.get(UNTIL[until])]:
            seen[each] = task_line(each, principal)
        bodies = list(seen.values())
        if all(body[UNTIL[until]] for body in bodies):
            return Waited(bodies, _outcome(bodies))
        left = deadline - time.monotonic()
        if left <= 0:
            return Waited(bodies, Exit.WAITED_TOO_LONG)
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)


def _outcome(bodies: Iterable[Mapping[str, Any]]) -> Exit:
    return Exit.DONE if all(body["status"] in GOOD_ENDS for body in bodies) else Exit.FAILED
