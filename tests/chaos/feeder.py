"""Creates the planned tasks at their moments, through all doors, while the faults happen.

A caller whose database or server is gone asks again with the same idempotency key: what it was told
is created counts as promised, and a promise that cannot be found afterwards is a lost task.
"""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import transaction

from orchestration import client
from orchestration.runtime import database
from tests.chaos.effects import Order
from tests.chaos.plan import Plan, TaskPlan

PAUSE_SECONDS = 0.3
ANSWER_SECONDS = 10.0
GIVE_UP_SECONDS = 90.0
BUSY = (429, 500, 502, 503, 504)
CREATED = (200, 201)


class PlannedRollback(Exception):  # noqa: N818 - not an error
    """Leaves a transaction that shall leave nothing behind."""


class Busy(Exception):  # noqa: N818 - says what the door is
    """The door is closed just now; the same request again may pass."""


CLOSED_DOORS: tuple[type[Exception], ...] = (*database.CONNECTION_ERRORS, Busy)


class Feeder(threading.Thread):
    """The callers of a run."""

    def __init__(self, plan: Plan, *, api: str) -> None:
        super().__init__(name="feeder", daemon=True)
        self._plan = plan
        self._api = api
        self.promised: list[TaskPlan] = []
        self.repeats = 0
        self.failure: str | None = None

    def run(self) -> None:
        """Create every task; returns when all are promised."""
        began = time.monotonic()
        roads: dict[str, Callable[[TaskPlan], None]] = {
            "client": self._by_client,
            "queue": self._by_queue,
            "rest": self._by_rest,
        }
        for task in self._plan.tasks:
            time.sleep(max(0.0, began + task.at - time.monotonic()))
            try:
                self._insist(roads[task.road], task)
            except Exception as error:  # noqa: BLE001 - the main thread reports it
                self.failure = f"Task {task.number} ({task.road}): {type(error).__name__}: {error}"
                return
        database.release_connections()

    def _insist(self, create: Callable[[TaskPlan], None], task: TaskPlan) -> None:
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                with suppress(PlannedRollback):
                    create(task)
                    self.promised.append(task)
            except CLOSED_DOORS as error:
                if time.monotonic() > deadline:
                    raise
                self.repeats += 1
                database.discard_connections(error)
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def _request(self, task: TaskPlan) -> dict[str, Any]:
        return {
            "namespace": task.workflow.namespace,
            "context": {"number": task.number},
            "idempotency_key": task.key(self._plan.seed),
        }

    def _by_client(self, task: TaskPlan) -> None:
        """Create the task in the transaction of a business row, or roll both back."""
        with transaction.atomic():
            created = client.create_task(task.workflow.name, **self._request(task))
            if created.created:
                Order._default_manager.create(
                    key=task.key(self._plan.seed), task_uuid=created.task_uuid
                )
            if task.is_rolled_back:
                raise PlannedRollback

    def _by_queue(self, task: TaskPlan) -> None:
        client.request_task(task.workflow.name, **self._request(task))

    def _by_rest(self, task: TaskPlan) -> None:
        body = json.dumps({"name": task.workflow.name, **self._request(task)}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._api}/tasks", body, headers)  # noqa: S310 - ours
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
                status = answer.status
        except urllib.error.HTTPError as error:
            status, said = error.code, error.read().decode(errors="replace")
            if status not in BUSY:
                raise RuntimeError(f"The API answered {status}: {said}") from error
            raise Busy(f"{status}: {said}") from error
        except OSError as error:
            raise Busy(str(error)) from error
        if status not in CREATED:
            raise RuntimeError(f"The API answered {status}, expected one of {CREATED}.")
