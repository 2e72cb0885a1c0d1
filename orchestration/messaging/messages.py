"""Names of queues and channels, and the one payload that Python reads: the task request.

Step and result messages are written and read by the SQL functions of the worker protocol, in the
transaction that moves the step; they carry ids only (engine.md 6.2).
"""

from dataclasses import dataclass, field
from typing import Any

from orchestration.errors import InvalidRequestError, Problem

RESULTS_QUEUE = "orchestration_step_results"
REQUESTS_QUEUE = "orchestration_task_requests"
ORCHESTRATION_QUEUES = (RESULTS_QUEUE, REQUESTS_QUEUE)
ORCHESTRATION_CHANNEL = "pgmq_message_ready.orchestration"
DUE_WORK_CHANNEL = "tasker_due_work"

# Engine.md 6.2: for requests that carry no number of their own.
PRIORITIES = {"Low": -10, "Normal": 0, "High": 10, "Urgent": 50}


def worker_queue(namespace: str) -> str:
    """Return the queue that carries a namespace's step messages."""
    return f"worker_{namespace}_queue"


def namespace_of(queue: str) -> str:
    """Return the namespace whose step messages a queue carries."""
    return queue.removeprefix("worker_").removesuffix("_queue")


def events_queue(namespace: str) -> str:
    """Return the queue of a namespace's durable domain events, which others read."""
    return f"{namespace}_domain_events"


def ready_channel(namespace: str) -> str:
    """Return the channel that announces messages of a namespace's queue."""
    return f"pgmq_message_ready.{namespace}"


@dataclass(frozen=True, slots=True)
class TaskRequestMessage:
    """A request for a task that came through the queue; `request` is shaped like POST /v1/tasks."""

    request: dict[str, Any]
    request_id: str | None = None
    requester: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, message: object) -> "TaskRequestMessage":
        """Read a message; raise `InvalidRequestError` naming the place when it is malformed."""
        if not isinstance(message, dict):
            raise _malformed("", "must be an object")
        request = message.get("task_request")
        if not isinstance(request, dict):
            raise _malformed("task_request", "must be an object")
        metadata = message.get("metadata")
        if not isinstance(metadata, dict):
            metadata = {}
        requester = metadata.get("requester")
        return cls(
            request={**_defaults(metadata), **request},
            request_id=str(message["request_id"]) if message.get("request_id") else None,
            requester=requester if isinstance(requester, str) else None,
            metadata=metadata,
        )


def _defaults(metadata: dict[str, Any]) -> dict[str, Any]:
    priority = PRIORITIES.get(str(metadata.get("priority")))
    found = {"priority": priority, "requested_at": metadata.get("requested_at")}
    return {key: value for key, value in found.items() if value is not None}


def _malformed(path: str, message: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"Task request message: {path or 'message'} {message}", problems=[Problem(path, message)]
    )
