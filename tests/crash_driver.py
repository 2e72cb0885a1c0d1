"""`python -m tests.crash_driver`: does turns of the engine in children that break in the middle.

Each line on stdin is JSON, `{"turn": "results", "after": 3, "given": {}}`: a forked child does the
turn and is dead by SIGKILL right after the third thing it has sent, a statement or a commit; with
fewer of them it completes. The answer is a line too: `killed` or `done`.

With `"in_flight": true` it dies when that is sent and not answered yet. With `"how": "cut"` the
connection dies instead and the child goes on as it can: its answer is `cut`.

Forking spares every crash the start of an interpreter; the parent never opens a connection.
"""

import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Generator
from functools import partial
from typing import Any
from uuid import UUID

import django
from psycopg.waiting import Ready, Wait

APPLICATION_NAME = "tests.crash_driver"
DONE, FAILED, CUT = 0, 1, 7  # how a child ends that is not killed


class Crash:
    """Counts what is sent on a connection and breaks off at one of the things."""

    def __init__(self, connection: Any, *, after: int, how: str, in_flight: bool) -> None:
        self.connection = connection
        self.left = after
        self.how = how
        self.in_flight = in_flight
        self.has_come = False

    def install(self) -> None:
        """Count from now on."""
        commit = self.connection._commit

        def commit_and_count() -> None:
            self._send(commit)

        self.connection._commit = commit_and_count
        self.connection.execute_wrappers.append(self)

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Run a statement and count it."""
        return self._send(lambda: execute(sql, params, many, context))

    def _send(self, thing: Callable[[], Any]) -> Any:
        self.left -= 1
        if self.left == 0 and self.in_flight:
            raw = self.connection.connection  # by now the one that the turn works on
            raw.wait = partial(self._wait_and_break, raw.pgconn.socket)
        answer = thing()
        if self.left == 0:
            self._break_off()
        return answer

    def _wait_and_break(self, handle: int, steps: Generator[int, int, Any], *_: Any) -> Any:
        """Do as `Connection.wait`; break off when all is sent and only an answer is awaited."""
        try:
            wanted = next(steps)
            while True:
                if wanted == Wait.R:
                    self._break_off()
                reading = [handle] if wanted & Wait.R else []
                writing = [handle] if wanted & Wait.W else []
                readable, writable, _errors = select.select(reading, writing, [])
                ready = (Ready.R if readable else 0) | (Ready.W if writable else 0)
                wanted = steps.send(ready)
        except StopIteration as end:
            return end.value

    def _break_off(self) -> None:
        if self.has_come:
            return
        self.has_come = True
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        duplicate = os.dup(self.connection.connection.pgconn.socket)
        with socket.socket(fileno=duplicate) as connected:
            connected.shutdown(socket.SHUT_RDWR)


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

    if name == "handler":
        return handler_turn()
    turns: dict[str, Callable[[], object]] = {
        "create": lambda: create_task(given["template"], namespace="test", idempotency_key="crash"),
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


def handler_turn() -> Callable[[], object]:
    """Claim a step; the turn is to run its handler and to report, as a worker's thread does."""
    from orchestration.runtime import database
    from tests.factories import ticks
    from tests.handlers import business
    from workers.conf import worker_settings
    from workers.executor import Executor
    from workers.registry import HandlerRegistry

    resolver = HandlerRegistry.instance().resolver_chain
    resolver.register("business.write", business.write)
    resolver.register("business.write_apart", business.write_apart)
    reports: list[Any] = []
    executor = Executor(
        worker_id="crash",
        settings=worker_settings(),
        on_done=lambda execution, report: reports.append(report),
        is_stopping=lambda: False,
    )
    (claimed,) = ticks.claim(limit=1)

    def run() -> None:
        executor.run(executor.begin(claimed))
        made = [report for report in reports if report is not None]
        try:
            ticks.report(*made)
        except database.CONNECTION_ERRORS as error:  # what is cut once is sent again
            database.discard_connections(error)
            ticks.report(*made)

    return run


def do(wish: dict[str, Any]) -> int:
    """Do a turn with the crash installed; return how this child ends when it survives."""
    from django.db import connections

    connection: Any = connections["default"]
    connection.settings_dict["OPTIONS"]["application_name"] = APPLICATION_NAME
    turn = turn_named(wish["turn"], wish["given"])
    connection.ensure_connection()  # what connecting sends is no part of a turn
    how, in_flight = wish.get("how", "kill"), wish.get("in_flight", False)
    crash = Crash(connection, after=wish["after"], how=how, in_flight=in_flight)
    crash.install()
    turn()
    return CUT if crash.has_come else DONE


def answer(wish: dict[str, Any]) -> str:
    """Do a turn in a child and tell how that ended."""
    child = os.fork()
    if child == 0:
        try:
            code = do(wish)
        except BaseException:  # noqa: BLE001 - a child never goes on as the parent
            traceback.print_exc()
            os._exit(FAILED)
        os._exit(code)
    _, status = os.waitpid(child, 0)
    outcomes = {-signal.SIGKILL: "killed", DONE: "done", CUT: "cut"}
    return outcomes.get(os.waitstatus_to_exitcode(status), "failed")


def main() -> None:
    """Answer line by line until stdin ends."""
    django.setup()
    for line in sys.stdin:
        print(answer(json.loads(line)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
