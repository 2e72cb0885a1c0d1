"""Sends the cases and follows them until every task rests."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tasker_project.demo.case import Case
from tasker_project.demo.client import Api, DemoError
from tasker_project.demo.outcome import Outcome, conclude
from tasker_project.processes import ProcessGroup

START_SECONDS = 60.0
LONGEST_SECONDS = 120.0
LOOK_SECONDS = 0.1


@dataclass
class Journey:
    """One case on its way; `outcome` is None until its task rests."""

    case: Case
    task: dict[str, Any]
    outcome: Outcome | None = None


def wait_until_up(api: Api, group: ProcessGroup) -> None:
    """Wait until the API answers; raises `DemoError`, or `ChildDied` when a process has ended."""
    deadline = time.monotonic() + START_SECONDS
    while not api.is_up():
        group.check()
        if time.monotonic() > deadline:
            raise DemoError(f"The web process did not answer within {START_SECONDS:.0f} s.")
        time.sleep(LOOK_SECONDS)


def send(api: Api, cases: Sequence[Case]) -> list[Journey]:
    """Create the task of every case."""
    return [_create(api, case) for case in cases]


def _create(api: Api, case: Case) -> Journey:
    body = {
        "name": case.name,
        "namespace": case.namespace,
        "context": case.context,
        "initiator": "demo",
        "reason": case.title,
        "tags": ["demo"],
    }
    return Journey(case, api.create_task(body))


def follow(
    api: Api, group: ProcessGroup, journeys: Sequence[Journey], *, tell: Callable[[], None]
) -> list[Outcome]:
    """Look at the tasks until all rest, calling `tell` after each look; return the outcomes.

    Raises `DemoError` when they still do not after `LONGEST_SECONDS`, `ChildDied` when a process
    has ended.
    """
    deadline = time.monotonic() + LONGEST_SECONDS
    while moving := [each for each in journeys if each.outcome is None]:
        group.check()
        if time.monotonic() > deadline:
            names = ", ".join(f"'{j.case.title}' ({j.task['status']})" for j in moving)
            raise DemoError(f"These tasks do not come to rest: {names}. See `manage.py dev`.")
        for journey in moving:
            _look(api, journey)
        tell()
        time.sleep(LOOK_SECONDS)
    return [each.outcome for each in journeys if each.outcome is not None]


def _look(api: Api, journey: Journey) -> None:
    journey.task = api.task(journey.task["task_uuid"])
    if journey.task["is_resting"]:
        steps = api.steps(journey.task["task_uuid"])
        journey.outcome = conclude(journey.case, journey.task, steps)
