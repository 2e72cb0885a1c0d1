"""`TaskerClient`: the published client, inside this process and the caller's transaction.

A task created in a handler that is `atomic`, or in a Django transaction, exists exactly when that
commits. Nothing goes over HTTP, so there is no address and no key.

Why the imports within methods: modules of handlers import this one, also where Django's apps are
not loaded (a plain test), and the engine's models need them.
"""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone

from orchestration import health
from orchestration.errors import InvalidRequestError
from orchestration.states import TaskState
from workers.published.client_answers import (
    HealthResponse,
    StepAuditResponse,
    StepResponse,
    TaskListResponse,
    TaskResponse,
)

MAX_LIMIT = 1000


class TaskerClient:
    """Creates, finds and cancels tasks."""

    def __init__(
        self, initiator: str = "tasker-core-python", source_system: str = "tasker-core"
    ) -> None:
        """Take what is recorded as the origin of tasks."""
        self.initiator = initiator
        self.source_system = source_system

    def create_task(
        self,
        name: str,
        *,
        namespace: str = "default",
        context: dict[str, Any] | None = None,
        version: str = "1.0.0",
        reason: str = "Task requested",
        **kwargs: Any,
    ) -> TaskResponse:
        """Create a task in the current transaction; further keywords as for the REST request."""
        from orchestration.client import create_task

        request = {
            "initiator": self.initiator,
            "source_system": self.source_system,
            "version": version,
            "reason": reason,
            **kwargs,
        }
        created = create_task(name, namespace=namespace, context=context, **request)
        return self.get_task(str(created.task_uuid))

    def get_task(self, task_uuid: str) -> TaskResponse:
        """Return a task with its steps; raises NotFoundError."""
        from workers.published import lookups

        return TaskResponse.from_dict(lookups.look_at_task(as_uuid(task_uuid, "task")))

    def list_tasks(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        namespace: str | None = None,
        status: str | None = None,
    ) -> TaskListResponse:
        """Return tasks, the newest first; raises InvalidRequestError for an unknown status."""
        from orchestration.queries.task_list import TaskFilter
        from workers.published import lookups

        if status is not None and status not in TaskState.values:
            known = ", ".join(TaskState.values)
            raise InvalidRequestError(f"There is no status {status!r} of tasks; known are {known}")
        wanted = TaskFilter(
            namespaces=(namespace,) if namespace else (), states=(status,) if status else ()
        )
        limit, offset = min(max(limit, 1), MAX_LIMIT), max(offset, 0)
        return TaskListResponse.from_dict(lookups.list_tasks(wanted, limit=limit, offset=offset))

    def cancel_task(self, task_uuid: str) -> dict[str, Any]:
        """Call a task off and return it; raises ActionRefusedError when it is finished."""
        from orchestration.client import cancel_task

        reason = f"Cancelled by {self.source_system}"
        cancel_task(as_uuid(task_uuid, "task"), actor=self.initiator, reason=reason)
        return asdict(self.get_task(task_uuid))

    def list_task_steps(self, task_uuid: str) -> list[StepResponse]:
        """Return the steps of a task; raises NotFoundError."""
        from workers.published import lookups

        found = lookups.list_steps(as_uuid(task_uuid, "task"))
        return [StepResponse.from_dict(each) for each in found]

    def get_step(self, task_uuid: str, step_uuid: str) -> StepResponse:
        """Return a step; raises NotFoundError."""
        from workers.published import lookups

        found = lookups.look_at_step(as_uuid(task_uuid, "task"), as_uuid(step_uuid, "step"))
        return StepResponse.from_dict(found)

    def get_step_audit_history(self, task_uuid: str, step_uuid: str) -> list[StepAuditResponse]:
        """Return the attempts of a step that reported something, the newest first."""
        from workers.published import lookups

        found = lookups.list_attempts(as_uuid(task_uuid, "task"), as_uuid(step_uuid, "step"))
        return [StepAuditResponse.from_dict(each) for each in found]

    def health_check(self) -> HealthResponse:
        """Say whether the database answers."""
        try:
            status = health.check_database().status
        except DatabaseError:
            status = health.UNHEALTHY
        return HealthResponse(status == health.HEALTHY, status, timezone.now().isoformat())


def as_uuid(given: str | UUID, what: str) -> UUID:
    """Return an id given as text; raises InvalidRequestError."""
    try:
        return given if isinstance(given, UUID) else UUID(given)
    except ValueError as error:
        raise InvalidRequestError(f"{given!r} is no UUID of a {what}") from error
