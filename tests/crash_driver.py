"""`python -m tests.crash_driver`: does turns of the engine in children that kill themselves.

Each line on stdin is JSON, `{"turn": "results", "after": 3, "given": {}}`: a forked child does the
turn and dies by SIGKILL right after the third thing it has sent, a statement or a commit; with
fewer of them it completes. The answer is a line too: `killed` or `done`.

Forking spares every crash the start of an interpreter; the parent never opens a connection.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django

APPLICATION_NAME = "tests.crash_driver"


class CrashAfter:
    """Counts what is sent and ends the process."""

    def __init__(self, count: int) -> None:
        self.left = count

    def sent(self) -> None:
        """Die when this was the last thing to send."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Run a statement and count it."""
        answer = execute(sql, params, many, context)
        self.sent()
        return answer

    def after(self, commit: Callable[[], None]) -> Callable[[], None]:
        """Return a commit that is counted."""

        def commit_and_count() -> None:
            commit()
            self.sent()

        return commit_and_count


def turn_named(name: str, given: dict[str, Any]) -> Callable[[], object]:
    """Return a turn of the engine, ready to be done."""
    from django.db import transaction

    from orchestration.client import create_task
    from orchestration.lifecycle import (
        discovery,
        due_work,
        operator_actions,
        request_processor,
        sweep,
    )
    from templates_registry.models import DependentSystem
    from tests.factories import ticks

    def create_within() -> None:
        with transaction.atomic():
            DependentSystem.objects.create(name="the caller's own")
            create_task("diamond", namespace="test")

    def operate() -> None:
        action = getattr(operator_actions, given["action"])
        action(UUID(given["uuid"]), actor="user:1", reason="crash")

    turns: dict[str, Callable[[], object]] = {
        "create": lambda: create_task("diamond", namespace="test", idempotency_key="crash"),
        "create_within": create_within,
        "request": lambda: request_processor.process_requests(limit=1, actor="system:crash"),
        "results": ticks.process,
        "retries": lambda: due_work.start_due_retries(move=ticks.MOVE),
        "reap": lambda: due_work.reap_lost_claims(move=ticks.MOVE),
        "admit": lambda: discovery.admit_waiting_tasks(limit=50, move=ticks.MOVE),
        "repair": lambda: sweep.repair_lost_messages(move=ticks.MOVE),
        "operate": operate,
    }
    return turns[name]


def do(wish: dict[str, Any]) -> None:
    """Do a turn with the crash installed."""
    from django.db import connections

    connection: Any = connections["default"]
    connection.settings_dict["OPTIONS"]["application_name"] = APPLICATION_NAME
    turn = turn_named(wish["turn"], wish["given"])
    connection.ensure_connection()  # what connecting sends is no part of a turn
    crash = CrashAfter(wish["after"])
    connection._commit = crash.after(connection._commit)
    with connection.execute_wrapper(crash):
        turn()


def answer(wish: dict[str, Any]) -> str:
    """Do a turn in a child and tell how that ended."""
    child = os.fork()
    if child == 0:
        try:
            do(wish)
        except BaseException:  # noqa: BLE001 - a child never goes on as the parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    outcomes = {-signal.SIGKILL: "killed", 0: "done"}
    return outcomes.get(os.waitstatus_to_exitcode(status), "failed")


def main() -> None:
    """Answer line by line until stdin ends."""
    django.setup()
    for line in sys.stdin:
        print(answer(json.loads(line)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
