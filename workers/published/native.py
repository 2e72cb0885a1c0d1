"""The functions of the published native module (`tasker_core._tasker_core`): dicts in, dicts out.

The same answers as the typed functions beside it give; errors are raised as Python exceptions.
"""

from dataclasses import asdict
from typing import Any

from workers.published import bootstrap, observability
from workers.published.bootstrap import (
    is_worker_running,
    stop_worker,
    transition_to_graceful_shutdown,
)
from workers.published.client import TaskerClient
from workers.published.inert import checkpoint_yield_step_event
from workers.published.models import BootstrapConfig

__all__ = [
    "bootstrap_worker",
    "checkpoint_yield_step_event",
    "client_cancel_task",
    "client_create_task",
    "client_get_step",
    "client_get_step_audit_history",
    "client_get_task",
    "client_health_check",
    "client_list_task_steps",
    "client_list_tasks",
    "get_health_check",
    "get_metrics",
    "get_worker_config",
    "get_worker_status",
    "is_worker_running",
    "stop_worker",
    "transition_to_graceful_shutdown",
]

Json = dict[str, Any]


def bootstrap_worker(config: Json | None = None) -> Json:
    """Start a worker in this process."""
    return bootstrap.bootstrap_worker(BootstrapConfig.model_validate(config or {})).model_dump()


def get_worker_status() -> Json:
    """Return how the worker of this process is."""
    return bootstrap.get_worker_status().model_dump()


def get_health_check() -> Json:
    """Return the checks that the worker's probes show."""
    return observability.get_health_check().model_dump()


def get_metrics() -> Json:
    """Return what the worker has counted so far."""
    return observability.get_metrics().model_dump()


def get_worker_config() -> Json:
    """Return the settings under which a worker of this process runs."""
    return observability.get_worker_config().model_dump()


def client_health_check() -> Json:
    """Say whether the database answers."""
    return asdict(TaskerClient().health_check())


def client_create_task(request: Json) -> Json:
    """Create a task of a request in the shape of the REST body."""
    return asdict(TaskerClient().create_task(**request))


def client_get_task(task_uuid: str) -> Json:
    """Return a task with its steps."""
    return asdict(TaskerClient().get_task(task_uuid))


def client_list_tasks(limit: int, offset: int, namespace: str | None, status: str | None) -> Json:
    """Return a page of tasks."""
    found = TaskerClient().list_tasks(
        limit=limit, offset=offset, namespace=namespace, status=status
    )
    return asdict(found)


def client_cancel_task(task_uuid: str) -> Json:
    """Call a task off."""
    return TaskerClient().cancel_task(task_uuid)


def client_list_task_steps(task_uuid: str) -> list[Json]:
    """Return the steps of a task."""
    return [asdict(each) for each in TaskerClient().list_task_steps(task_uuid)]


def client_get_step(task_uuid: str, step_uuid: str) -> Json:
    """Return a step."""
    return asdict(TaskerClient().get_step(task_uuid, step_uuid))


def client_get_step_audit_history(task_uuid: str, step_uuid: str) -> list[Json]:
    """Return the attempts of a step."""
    found = TaskerClient().get_step_audit_history(task_uuid, step_uuid)
    return [asdict(each) for each in found]
