"""The door of programs: every call that writes, by its `action_type` where it has one."""

from collections.abc import Callable
from typing import Any

from orchestration.api import steps, tasks
from tests.access_table import calls_of
from tests.hand_actions import NAMESPACE, TEMPLATE, WHY, Action, World

TASK = "/v1/tasks/<str:task_uuid>"
STEP = f"{TASK}/workflow_steps/<str:step_uuid>"
BY_TYPE = {("patch", TASK): tuple(tasks.ACTIONS), ("patch", STEP): tuple(steps.ACTIONS)}
HARMLESS = {"post /v1/templates/validate"}


def offered() -> set[str]:
    """Return the calls of the web process that are no look."""
    return {
        f"{method} {path} {kind}".strip()
        for method, path in calls_of("tasker_project.urls")
        if method != "get"
        for kind in BY_TYPE.get((method, path), ("",))
    }


def ask(method: str, path: str, **body: Any) -> Callable[[World], object]:
    """Return how a call is made; it has to succeed."""

    def do(world: World) -> None:
        here = path.replace("<str:task_uuid>", str(world.task.pk))
        here = here.replace("<str:step_uuid>", str(world.step.pk))
        if "<str:entry_uuid>" in here:
            here = here.replace("<str:entry_uuid>", str(world.entry().pk))
        answer = getattr(world.api, method)(here, body, format="json")
        assert answer.status_code < 300, answer.content

    return do


def act(path: str, kind: str, **more: Any) -> Callable[[World], object]:
    """Return how one of the actions of a PATCH is asked for."""
    return ask("patch", path, action_type=kind, reason=WHY, **more)


ACTIONS = {
    "post /v1/tasks": Action(
        ask("post", "/v1/tasks", name=TEMPLATE, namespace=NAMESPACE, reason=WHY)
    ),
    "post /v1/tasks/bulk": Action(
        ask(
            "post",
            "/v1/tasks/bulk",
            tasks=[{"name": TEMPLATE, "namespace": NAMESPACE, "reason": WHY}] * 2,
        )
    ),
    f"delete {TASK}": Action(ask("delete", f"{TASK}?reason={WHY}")),
    f"patch {TASK} retry_failed_steps": Action(act(TASK, "retry_failed_steps")),
    f"patch {TASK} reset": Action(act(TASK, "reset"), act(TASK, "give_up")),
    f"patch {TASK} give_up": Action(act(TASK, "give_up")),
    f"patch {TASK} resolve_manually": Action(act(TASK, "resolve_manually")),
    f"patch {STEP} reset_for_retry": Action(act(STEP, "reset_for_retry")),
    f"patch {STEP} resolve_manually": Action(act(STEP, "resolve_manually")),
    f"patch {STEP} complete_manually": Action(
        act(STEP, "complete_manually", completion_data={"result": {"done": True}})
    ),
    "post /v1/dlq/task/<str:task_uuid>": Action(
        ask("post", "/v1/dlq/task/<str:task_uuid>", notes=WHY)
    ),
    "patch /v1/dlq/entry/<str:entry_uuid>": Action(
        ask(
            "patch",
            "/v1/dlq/entry/<str:entry_uuid>",
            resolution_status="manually_resolved",
            resolution_notes=WHY,
        ),
        World.entry,
    ),
}
