"""What the pages are shown with: a task in each state, hostile texts, a very large task."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from orchestration.models import DlqEntry, StepTransition, Task, TaskerProcess
from orchestration.states import StepState, TaskState
from orchestration.testing import StepFactory, TaskFactory, TemplateFactory, shape
from templates_registry.schema import TaskTemplate
from tests.factories.ticks import start

HOSTILE = '<script>alert("x")</script>\u202e{{ 7|add:1 }}' + "Ünïcödé" * 30


def one_task_per_state() -> list[Task]:
    """Return a task in each state, the last one with a step in each state."""
    template = TemplateFactory()
    tasks = [TaskFactory.create(named_task=template, state=state) for state in TaskState]
    for state in StepState:
        StepFactory(task=tasks[-1], state=state)
    return tasks


def hostile_task() -> Task:
    """Return a task with hostile text wherever text is stored."""
    task = TaskFactory.create(
        tags=[HOSTILE],
        initiator=HOSTILE[:255],
        source_system=HOSTILE[:255],
        reason=HOSTILE[:500],
        context={HOSTILE: HOSTILE},
        options={HOSTILE: [HOSTILE]},
        idempotency_key=HOSTILE[:255],
        state="blocked_by_failures",
    )
    step = StepFactory.create(
        task=task,
        name=HOSTILE[:128],
        state="error",
        inputs={HOSTILE: 1},
        results={"error": {"message": HOSTILE, "backtrace": [HOSTILE]}},
        checkpoint={"a": HOSTILE},
    )
    StepTransition.objects.create(
        workflow_step=step,
        sort_key=99,
        to_state="error",
        event=HOSTILE[:64],
        actor=HOSTILE[:255],
        attempt=1,
        metadata={"reason": HOSTILE, HOSTILE: HOSTILE},
    )
    DlqEntry.objects.create(
        task=task,
        original_state="blocked_by_failures",
        dlq_reason="manual_dlq",
        resolution_notes=HOSTILE,
        task_snapshot={
            "name": HOSTILE,
            "namespace": HOSTILE,
            "version": HOSTILE,
            "steps": [{"name": HOSTILE, "state": HOSTILE, "attempts": 1, "error_type": HOSTILE}],
        },
        metadata={HOSTILE: HOSTILE},
    )
    return task


def hostile_process() -> TaskerProcess:
    """Return a process that says hostile things of itself."""
    return worker(
        name=HOSTILE[:128],
        hostname=HOSTILE[:255],
        version=HOSTILE[:50],
        environment=HOSTILE[:32],
        namespaces=[HOSTILE],
        handlers=[HOSTILE],
        report={HOSTILE: HOSTILE},
        last_heartbeat_at=timezone.now() - timedelta(minutes=5),
    )


def worker(**given: Any) -> TaskerProcess:
    """Return the row of a live worker."""
    row = {
        "kind": "worker",
        "name": "w-1",
        "hostname": "box",
        "pid": 7,
        "version": "1.0.0",
        "environment": "test",
        "namespaces": ["test"],
        "handlers": ["test.echo"],
        "slots": 10,
        "deployment_mode": "Hybrid",
    }
    return TaskerProcess.objects.create(worker_uuid=uuid4(), **{**row, **given})


def wide_template(width: int) -> TaskTemplate:
    """Return a template of one root, `width` steps beside one another, and a join."""
    graph: dict[str, list[str]] = {"root": []}
    graph |= {f"part_{n:03}": ["root"] for n in range(width)}
    graph["join"] = [name for name in graph if name != "root"]
    return shape(f"wide_{width}", graph)


def large_task(width: int = 498) -> Task:
    """Return a task of a great many steps that has just begun."""
    return Task.objects.get(pk=start(wide_template(width)).task_uuid)
