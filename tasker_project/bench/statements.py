"""The engine's statements by themselves: one connection, a timer around execute and fetch.

Reads are asked about tasks picked from a large load; claim, report and processing of results do
real work on new tasks beside it. What locks is rolled back, outside the timer.
"""

import time
from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

from django.db import transaction
from pydantic_core import to_json

from orchestration.lifecycle import result_processor
from orchestration.messaging.messages import worker_queue
from orchestration.queries import readiness
from orchestration.queries.steps import Claim, StepReport, claim_steps, report_steps
from orchestration.queries.tasks import Move
from tasker_project.bench.database import rows
from tasker_project.bench.loading import label, load_tasks, pick_tasks
from tasker_project.bench.percentiles import Figures, summarise
from tasker_project.bench.running import Bench, create, forget_tasks, purge_queues
from tasker_project.bench.shapes import NAMESPACE

Ask = Callable[[UUID], object]
NEXT_READY_LIMITS = (1, 10, 50, 100)
WORK_LIMITS = (1, 10, 50)
WARM_UP_SAMPLES = 5
WORK_ROUNDS = 18  # of 50: below the high-water mark of a queue
LEASE_SECONDS = 600
LAST_STEP = (
    "SELECT workflow_step_uuid FROM tasker_workflow_steps WHERE task_uuid = %(task)s"
    " ORDER BY name DESC LIMIT 1"
)
DEPENDENCIES = "SELECT * FROM get_step_transitive_dependencies(%(step)s)"


def measure(bench: Bench) -> Figures:
    """Run the suite."""
    figures: Figures = {}
    for size in bench.sizes:
        bench.say(f"sql: loading {size} tasks")
        forget_tasks()
        load_tasks(size)
        bench.say(f"sql: measuring among {size} tasks")
        name = f"sql.{label(size)}"
        figures |= _reads(bench, name)
        for limit in WORK_LIMITS:
            figures |= _work(bench, name, limit)
    return figures


def _reads(bench: Bench, name: str) -> Figures:
    """Measure what only reads, or locks and lets go."""
    count = bench.samples + WARM_UP_SAMPLES
    figures: Figures = {}
    for limit in NEXT_READY_LIMITS:
        samples = next_ready_samples(bench.samples, limit=limit)
        figures |= summarise(f"{name}.next_ready_{limit}", samples)
    tasks = pick_tasks(count, random_state=bench.random_state)
    steps = [rows(LAST_STEP, task=task)[0][0] for task in tasks]
    questions: dict[str, tuple[Ask, list[UUID]]] = {
        "readiness": (lambda task: readiness.step_readiness([task]), tasks),
        "context": (lambda task: readiness.task_contexts([task]), tasks),
        "transitive_dependencies": (lambda step: rows(DEPENDENCIES, step=step), steps),
    }
    for question, (ask, subjects) in questions.items():
        samples = [_timed(partial(ask, subject)) for subject in subjects]
        figures |= summarise(f"{name}.{question}", samples[WARM_UP_SAMPLES:])
    return figures


def next_ready_samples(count: int, *, limit: int) -> list[float]:
    """Return how many ms each look for tasks to go on with takes, without those of the warm-up."""
    return [_timed_and_undone(limit) for _ in range(count + WARM_UP_SAMPLES)][WARM_UP_SAMPLES:]


def _work(bench: Bench, name: str, limit: int) -> Figures:
    """Measure claim, report and processing of sets of one size."""
    purge_queues()
    rounds = min(bench.samples, WORK_ROUNDS - WARM_UP_SAMPLES) + WARM_UP_SAMPLES
    for _ in range(rounds * limit):
        create("linear4")
    move = Move("system:bench", processor_uuid=uuid4())
    samples: dict[str, list[float]] = {"claim": [], "report": [], "process_results": []}
    for _ in range(rounds):
        claims: list[Claim] = []
        samples["claim"].append(_timed(partial(_claim_into, claims, limit)))
        reports = [_report(claim) for claim in claims]
        samples["report"].append(_timed(partial(report_steps, reports)))
        process = partial(result_processor.process_results, limit=limit, move=move)
        samples["process_results"].append(_timed(process))
    purge_queues()
    figures: Figures = {}
    for kind, taken in samples.items():
        figures |= summarise(f"{name}.{kind}_{limit}", taken[WARM_UP_SAMPLES:])
    return figures


def _claim_into(claims: list[Claim], limit: int) -> None:
    queue = worker_queue(NAMESPACE)
    claims += claim_steps(queue, worker_uuid=uuid4(), limit=limit, lease_seconds=LEASE_SECONDS)


def _report(claim: Claim) -> StepReport:
    result = {"success": True, "status": "completed", "result": {"ok": True}, "metadata": {}}
    return StepReport(claim.workflow_step_uuid, claim.state_version, True, to_json(result).decode())


def _timed(ask: Callable[[], object]) -> float:
    """Return how many ms a call takes."""
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


def _timed_and_undone(limit: int) -> float:
    with transaction.atomic():
        taken = _timed(lambda: readiness.next_ready_tasks(limit=limit))
        transaction.set_rollback(True)
    return taken
