"""The door of code: `orchestration.client`, the published client, and what all doors call."""

import inspect
from collections.abc import Callable
from types import ModuleType

from orchestration import client
from orchestration.access import api_keys
from orchestration.lifecycle import investigation, operator_actions
from orchestration.lifecycle.investigation import EntryChange
from orchestration.lifecycle.request_processor import process_requests
from tests.hand_actions import NAMESPACE, TEMPLATE, WHY, Action, World
from workers.published.client import TaskerClient

WHO = "shop"
HARMLESS = {
    *("client get_task", "client get_context"),
    *("published get_task", "published list_tasks", "published health_check"),
    *("published list_task_steps", "published get_step", "published get_step_audit_history"),
    "api_keys find_key",
    # walked through the doors that call them
    *("api_keys create_key", "api_keys revoke_key", "api_keys expire_key"),
}


def offered() -> set[str]:
    """Return the public functions of both clients and of the modules behind all doors."""
    public = {f"client {n}" for n in client.__all__ if inspect.isfunction(getattr(client, n))}
    for module in (operator_actions, investigation, api_keys):
        public |= {f"{_short(module)} {name}" for name in _functions_of(module)}
    methods = inspect.getmembers(TaskerClient, inspect.isfunction)
    return public | {f"published {name}" for name, _ in methods if name[0] != "_"}


def _short(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def _functions_of(module: ModuleType) -> set[str]:
    return {
        name
        for name, each in inspect.getmembers(module, inspect.isfunction)
        if each.__module__ == module.__name__ and name[0] != "_"
    }


def on_task(name: str) -> Callable[[World], object]:
    """Return how a function is called about a task."""
    return lambda w: getattr(operator_actions, name)(w.task.pk, actor=WHO, reason=WHY)


def on_step(name: str, **more: object) -> Callable[[World], object]:
    """Return how a function is called about a step."""
    return lambda w: getattr(operator_actions, name)(w.step.pk, actor=WHO, reason=WHY, **more)


def create(world: World) -> None:
    """Create a task as code of the shop would."""
    client.create_task(TEMPLATE, namespace=NAMESPACE, initiator=WHO, reason=WHY)


def create_many(world: World) -> None:
    """Create tasks as code of the shop would."""
    wanted = {"name": TEMPLATE, "namespace": NAMESPACE, "initiator": WHO, "reason": WHY}
    client.create_tasks([wanted] * 2)


def request(world: World) -> None:
    """Ask for a task through the queue, and have an orchestrator create it."""
    client.request_task(TEMPLATE, namespace=NAMESPACE, initiator=WHO, reason=WHY)
    assert process_requests(limit=1, actor="system:orchestrator") == 1


def update(world: World) -> None:
    """Close an investigation."""
    change = EntryChange(resolution_status="cancelled", resolution_notes=WHY)
    investigation.update_entry(world.entry().pk, change, actor=WHO)


ACTIONS = {
    "client create_task": Action(create),
    "client create_tasks": Action(create_many),
    "client request_task": Action(request),
    "client cancel_task": Action(lambda w: client.cancel_task(w.task.pk, actor=WHO, reason=WHY)),
    "published create_task": Action(
        lambda w: TaskerClient(initiator=WHO).create_task(TEMPLATE, namespace=NAMESPACE, reason=WHY)
    ),
    "published cancel_task": Action(
        lambda w: TaskerClient(initiator=WHO).cancel_task(str(w.task.pk)),
        why="Cancelled by tasker-core",  # the published method takes no reason
    ),
    **{
        f"operator_actions {name}": Action(on_task(name))
        for name in ("cancel_task", "resolve_task", "give_up_task", "retry_failed_steps")
    },
    "operator_actions reset_task": Action(on_task("reset_task"), on_task("give_up_task")),
    "operator_actions move_to_dlq": Action(on_task("move_to_dlq")),
    "operator_actions reset_step": Action(on_step("reset_step")),
    "operator_actions resolve_step": Action(on_step("resolve_step")),
    "operator_actions complete_step": Action(on_step("complete_step", result={"done": True})),
    "investigation update_entry": Action(update, World.entry),
}
