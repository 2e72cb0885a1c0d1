"""Everything that is stored about a task, without what differs between any two creations of it."""

from typing import Any

from orchestration.models import StepTransition, Task, TaskTransition, WorkflowStep
from orchestration.models import WorkflowStepEdge as Edge

OWN_EACH_TIME = {
    *("task_uuid", "workflow_step_uuid", "correlation_id", "identity_hash", "queue_msg_id"),
    *("created_at", "updated_at", "requested_at", "state_entered_at", "schedule_key"),
    "completed_at",
}


def rows_of(model: Any, **of: Any) -> list[dict[str, Any]]:
    """Return rows without what differs between any two creations."""
    found = model.objects.filter(**of).values()
    return [{k: v for k, v in row.items() if k not in OWN_EACH_TIME} for row in found]


def told(task_uuid: Any) -> dict[str, Any]:
    """Return everything that is stored about a task, as two creations of it have in common."""
    moves = TaskTransition.objects.filter(task=task_uuid).order_by("sort_key")
    hops = StepTransition.objects.filter(workflow_step__task=task_uuid)
    said = ("from_state", "to_state", "event", "actor", "metadata", "sort_key")
    edges = Edge.objects.filter(from_step__task=task_uuid)
    steps = rows_of(WorkflowStep, task=task_uuid)
    for step in steps:
        del step["task_id"]
    return {
        "task": rows_of(Task, pk=task_uuid),
        "steps": sorted(steps, key=lambda step: str(step["name"])),
        "moves": list(moves.values(*said)),
        "hops": list(hops.order_by("workflow_step__name", "sort_key").values(*said, "attempt")),
        "edges": set(edges.values_list("from_step__name", "to_step__name", "name")),
    }
