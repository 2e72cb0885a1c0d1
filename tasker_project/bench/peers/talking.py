"""Running a peer's script and reading its answers, lines of JSON among whatever else it prints."""

import json
import os
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tasker_project.bench.peers.errors import PeerError
from tasker_project.bench.peers.scripts.contract import GO
from tasker_project.processes import Child, ProcessGroup

LONGEST_SECONDS = 300.0
LOOK_SECONDS = 0.1
LAST_LINES = 5

Answer = dict[str, Any]


def read_answer(line: str) -> Answer | None:
    """Return the answer that a line holds; None for any other line."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    if not isinstance(found, dict) or not found.pop("peer", False):
        return None
    return found


def ask(
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    begin: Callable[[], None] = lambda: None,
) -> Answer:
    """Run a script to its answer; when it is ready, call `begin` and let it go on.

    Raises `PeerError` when it ends without an answer or takes too long.
    """
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    with ProcessGroup(show=lambda _, line: lines.put(line)) as group:
        child = group.start(name, command, environment=environment)
        answer = _next_answer(child, lines)
        if answer.get("ready"):
            begin()
            os.kill(child.pid, GO)
            answer = _next_answer(child, lines)
        return answer


def _next_answer(child: Child, lines: "queue.SimpleQueue[str]") -> Answer:
    """Wait for the next answer; a script that has ended may still have said one."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        has_ended = child.exit_code is not None
        try:
            answer = read_answer(lines.get(timeout=1 if has_ended else LOOK_SECONDS))
        except queue.Empty:
            if has_ended:
                said = " | ".join(child.last_lines[-LAST_LINES:])
                raise PeerError(f"'{child.name}' ended without an answer: {said}") from None
            continue
        if answer is not None:
            return answer
    raise PeerError(f"'{child.name}' gave no answer within {LONGEST_SECONDS} s")
