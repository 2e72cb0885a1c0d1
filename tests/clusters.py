"""Orchestrators and workers as real processes, and what the acceptance tests ask of them."""

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from django.db import connections

from orchestration.models import Task, TaskerProcess, WorkflowStep
from templates_registry import registry
from templates_registry.schema import TaskTemplate
from tests.factories import ticks
from tests.processes import ManageProcess, Processes, wait_until

REST = frozenset({"complete", "blocked_by_failures", "error", "cancelled", "resolved_manually"})


class Cluster:
    """Starts processes on the test database and waits for what they do."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes

    def orchestrator(self, *arguments: str, **environment: str) -> ManageProcess:
        """Start an orchestrator and wait until it is registered."""
        return self._start("run_orchestrator", *arguments, **environment)

    def worker(self, *arguments: str, **environment: str) -> ManageProcess:
        """Start a worker with the handlers of tests/handlers, and wait until it is registered.

        Without arguments it serves the namespace of the shapes.
        """
        names = ("shapes", "business", "branching")
        handlers = ("--no-sync", *(f"--handlers=tests.handlers.{name}" for name in names))
        return self._start("run_worker", *handlers, *(arguments or ("test",)), **environment)

    def _start(self, command: str, *arguments: str, **environment: str) -> ManageProcess:
        process = self.processes.start(command, "--http-port", "0", *arguments, **environment)
        wait_until(lambda: self._is_up(process), within=20)
        return process

    def _is_up(self, process: ManageProcess) -> bool:
        assert process.child.poll() is None, process.output
        return TaskerProcess.objects.filter(pid=process.child.pid, status="running").exists()

    @staticmethod
    def register(template: TaskTemplate) -> TaskTemplate:
        """Make a template known before a worker is started for its namespace."""
        assert registry.register(template).named_task_uuid
        return template

    def run(
        self,
        template: TaskTemplate,
        context: dict[str, Any] | None = None,
        *,
        within: float = 10,
        **request: Any,
    ) -> UUID:
        """Create a task, wait until nothing more happens to it, and return its uuid."""
        created = ticks.start(template, context, **request)
        self.settles(created.task_uuid, within=within)
        return created.task_uuid

    def settles(self, *task_uuids: UUID, within: float = 10) -> None:
        """Wait until tasks have come to rest."""
        self.reaches(task_uuids, REST, within=within)

    def reaches(
        self, task_uuids: Collection[UUID], states: Collection[str], *, within: float = 10
    ) -> None:
        """Wait until every task is in one of the states."""
        tasks = Task.objects.filter(pk__in=task_uuids, state__in=states)
        self.waits(lambda: tasks.count() == len(task_uuids), within=within)

    def waits(self, condition: Callable[[], object], *, within: float = 10) -> None:
        """Wait for a condition; when it stays false, show what the processes printed."""
        try:
            wait_until(condition, within)
        except AssertionError as error:
            said = "\n".join(f"{each.arguments}: {each.output}" for each in self.processes.started)
            raise AssertionError(f"{error}\n{said}\n{self.picture()}") from None

    @staticmethod
    def picture() -> str:
        """Return the states of all tasks that are not complete, and of their steps."""
        tasks = Task.objects.exclude(state="complete").order_by("pk")
        return "\n".join(
            f"{task.pk} {task.state}: "
            + ", ".join(str(step) for step in task.steps.order_by("name"))
            for task in tasks[:20]
        )


def step(task_uuid: UUID, name: str) -> WorkflowStep:
    """Return a step of a task."""
    return WorkflowStep.objects.get(task_id=task_uuid, name=name)


def execution(task_uuid: UUID, name: str) -> dict[str, Any]:
    """Return the execution result of a step (engine.md 6.3)."""
    results: dict[str, Any] | None = step(task_uuid, name).results
    assert results is not None
    return results


def result(task_uuid: UUID, name: str) -> Any:
    """Return what the handler of a step gave."""
    return execution(task_uuid, name)["result"]


# A step is done once; it reports again only after a failure, or when an operator has reset it; and
# every report that moved it has its row.
DOUBLED = """
SELECT s.workflow_step_uuid::text, s.name, h.reports, a.reports
FROM tasker_workflow_steps AS s
CROSS JOIN LATERAL (
  SELECT
    count(*) FILTER (WHERE t.to_state = 'complete') AS completions,
    count(*) FILTER (WHERE t.to_state = 'enqueued_for_orchestration') AS successes,
    count(*) FILTER (WHERE t.event = 'reset_for_retry') AS resets,
    count(*) FILTER (WHERE t.to_state IN (
      'enqueued_for_orchestration', 'enqueued_as_error_for_orchestration'
    )) AS reports,
    count(*) FILTER (WHERE t.to_state = 'in_progress') AS claims
  FROM tasker_workflow_step_transitions AS t
  WHERE t.workflow_step_uuid = s.workflow_step_uuid
) AS h
CROSS JOIN LATERAL (
  SELECT count(*) AS reports
  FROM tasker_workflow_step_result_audit AS t
  WHERE t.workflow_step_uuid = s.workflow_step_uuid
) AS a
WHERE h.completions > 1
  OR h.successes > 1 + h.resets
  OR h.reports > h.claims
  OR h.reports <> a.reports
"""


def assert_one_accepted_result() -> None:
    """Fail when some step has more than one accepted result, by history or by audit."""
    with connections["default"].cursor() as cursor:
        cursor.execute(DOUBLED)
        assert cursor.fetchall() == []
