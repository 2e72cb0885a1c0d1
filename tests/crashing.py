"""`python -m tests.crashing create|results N`: does one turn of an orchestrator and kills itself.

The process dies by SIGKILL right after the N-th statement that it sends, as it would when its
machine loses power; with N greater than the number of statements it completes and exits 0. The
turns are those of engine.md 7.1 and 7.2.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django


class CrashAfter:
    """Counts statements and ends the process after one of them."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Run a statement; die when it was the last one."""
        answer = execute(sql, params, many, context)
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def main(turn: str, count: int) -> None:
    """Do a turn with the crash installed."""
    django.setup()
    from django.db import connections

    from orchestration.client import create_task
    from tests.factories import ticks

    turns: dict[str, Callable[[], object]] = {
        "create": lambda: create_task("linear_4", namespace="test", idempotency_key="crash"),
        "results": ticks.process,
    }
    connections["default"].ensure_connection()  # what connecting sends is no part of a turn
    with connections["default"].execute_wrapper(CrashAfter(count)):
        turns[turn]()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
