"""A real claim of a one-step task, and an executor that runs it in the test's own thread."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from orchestration.client import create_task
from orchestration.models import WorkflowStep
from orchestration.queries.processes import ProcessRow, register_process
from orchestration.queries.steps import Claim, StepReport, claim_steps
from templates_registry.registry import register
from templates_registry.schema import inspect_data
from workers.conf import worker_settings
from workers.executor import Execution, Executor
from workers.registry import HandlerRegistry

CALLABLE = "test.handler"


class Bench:
    """Creates tasks of one step, claims them, runs them, and remembers what came out."""

    def __init__(self) -> None:
        self.worker_uuid = uuid4()
        self.done: list[tuple[Execution, StepReport | None]] = []
        self.is_stopping = False
        self._executor: Executor | None = None
        register_process(
            ProcessRow(
                self.worker_uuid, "worker", "bench", "host", 1, "1", "test", [], [], 1, "Hybrid"
            )
        )

    @property
    def executor(self) -> Executor:
        """Made on first use, so that a test may change settings before."""
        if self._executor is None:
            self._executor = Executor(
                worker_id="bench",
                settings=worker_settings(),
                on_done=lambda execution, report: self.done.append((execution, report)),
                is_stopping=lambda: self.is_stopping,
            )
        return self._executor

    def handle(self, handler: Any) -> None:
        """Let the next steps be run by this handler."""
        HandlerRegistry.instance().resolver_chain.register(CALLABLE, handler)

    def claim(self, *, context: dict[str, Any] | None = None, **step: Any) -> Claim:
        """Create a task of one step and claim it."""
        handler = {"callable": CALLABLE, **step.pop("handler", {})}
        found = inspect_data(
            {
                "name": f"t{uuid4().hex}",
                "namespace_name": "bench",
                "version": "1.0.0",
                "steps": [{"name": "only", "handler": handler, **step}],
            }
        )
        assert found.template is not None, found.report
        register(found.template)
        create_task(found.template.name, namespace="bench", context=context or {})
        (claim,) = claim_steps(
            "worker_bench_queue", worker_uuid=self.worker_uuid, limit=1, lease_seconds=30
        )
        return claim

    def run(self, claim: Claim) -> Execution:
        """Run a claim to its end."""
        execution = self.executor.begin(claim)
        self.executor.run(execution)
        return execution

    def report_of(self, claim: Claim) -> dict[str, Any]:
        """Run a claim and return the execution result that it reports."""
        self.run(claim)
        _, report = self.done[-1]
        assert report is not None
        found: dict[str, Any] = json.loads(report.results)
        assert found["success"] is report.success
        return found

    def step(self, claim: Claim) -> WorkflowStep:
        """Return the step as it is stored."""
        return WorkflowStep.objects.get(pk=claim.workflow_step_uuid)

    def close(self) -> None:
        """Forget the handler, end the watchdog."""
        resolver = HandlerRegistry.instance().resolver_chain.explicit_resolver
        assert resolver is not None
        resolver.unregister(CALLABLE)
        if self._executor is not None:
            self._executor.close()


@pytest.fixture
def make_bench() -> Iterator[Callable[[], Bench]]:
    """Return a maker of benches that are closed at the end."""
    made: list[Bench] = []

    def make() -> Bench:
        made.append(Bench())
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def bench(db: None, make_bench: Callable[[], Bench]) -> Bench:
    """Return a bench inside the test's transaction."""
    return make_bench()


@pytest.fixture
def committing_bench(transactional_db: None, make_bench: Callable[[], Bench]) -> Bench:
    """Return a bench that commits, for transactions and for handlers that are interrupted."""
    return make_bench()
