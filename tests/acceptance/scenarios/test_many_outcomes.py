"""Three orchestrators, three workers: every attempt is one run, whatever fails or dies: M1, M2."""

from collections import Counter
from uuid import UUID

import pytest

from orchestration.models import StepTransition, Task, TaskerProcess, WorkflowStep
from orchestration.testing import FAIL_PERMANENT, dag, diamond, fail_times, fan_in, linear, tree
from tests.clusters import Cluster
from tests.factories import ticks
from tests.factories.histories import LINEAR_4, task_history

pytestmark = pytest.mark.acceptance
SOON = {"backoff": "linear", "backoff_base_ms": 200}


def fails(times: int, *, max_attempts: int = 3):
    return {"handler": fail_times(times), "retry": SOON | {"max_attempts": max_attempts}}


# Each with the state it ends in and the attempts of the steps that do not run exactly once.
PLANS = [
    (linear(4, name="flaky", steps={"step_2": fails(1)}), "complete", {"step_2": 2}),
    (
        diamond(name="broken", steps={"right": {"handler": FAIL_PERMANENT}}),
        "blocked_by_failures",
        {"join": 0},
    ),
    (tree(3, name="tough", steps={"node_2": fails(2)}), "complete", {"node_2": 3}),
    (dag(name="sound"), "complete", {}),
    (
        fan_in(5, name="hopeless", steps={"root_1": fails(9, max_attempts=2)}),
        "blocked_by_failures",
        {"root_1": 2, "join": 0},
    ),
]


def runs(ledger):
    """Return how often the handler of each step of each task ran."""
    pairs = (line.split() for line in ledger.read_text().splitlines())
    return Counter((UUID(task), name) for task, name in pairs)


def attempts_of(task_uuid):
    return dict(WorkflowStep.objects.filter(task_id=task_uuid).values_list("name", "attempts"))


@pytest.mark.timeout(120)
def test_two_hundred_tasks_of_all_outcomes_end_as_planned(own_cluster: Cluster, tmp_path):
    for _ in range(3):
        own_cluster.orchestrator()
        own_cluster.worker("test", "--slots", "4")
    ledger = tmp_path / "ledger"

    made = [
        (ticks.start(plan[0], {"ledger": str(ledger)}).task_uuid, plan)
        for _ in range(40)
        for plan in PLANS
    ]
    own_cluster.settles(*(uuid for uuid, _ in made), within=90)

    expected: Counter[tuple[UUID, str]] = Counter()
    for uuid, (template, end, unusual) in made:
        assert Task.objects.get(pk=uuid).state == end, template.name
        attempts = {step.name: unusual.get(step.name, 1) for step in template.steps}
        assert attempts_of(uuid) == attempts, template.name
        expected.update({(uuid, name): times for name, times in attempts.items() if times})
    assert runs(ledger) == expected
    starts = StepTransition.objects.filter(to_state="in_progress")
    assert starts.count() == expected.total()
    assert starts.values("worker_uuid").distinct().count() == 3


# ------------------------------------------------------------ M2


@pytest.mark.listens
@pytest.mark.timeout(90)
def test_only_the_claims_of_a_killed_worker_run_again(own_cluster: Cluster, gate, tmp_path):
    orchestrators = [own_cluster.orchestrator() for _ in range(3)]
    workers = [own_cluster.worker("test", "--slots", "4") for _ in range(3)]
    locks = TaskerProcess.objects.filter(kind="worker", has_liveness_lock=True)
    own_cluster.waits(lambda: locks.count() == 3)
    context = {"ledger": str(tmp_path / "ledger"), "gate": str(gate)}
    held = linear(4, name="held", steps={"step_2": {"handler": {"callable": "test.wait"}}})
    waiting = ticks.start(held, context).task_uuid
    own_cluster.waits(lambda: (gate / "step_2.1").exists())
    claims = StepTransition.objects.filter(workflow_step__task_id=waiting, to_state="in_progress")
    holder = TaskerProcess.objects.get(
        worker_uuid__in=claims.filter(workflow_step__name="step_2").values("worker_uuid")
    )

    made = [waiting, *(ticks.start(linear(4), context).task_uuid for _ in range(100))]
    next(each for each in workers if each.child.pid == holder.pid).kill()
    orchestrators[0].kill()
    own_cluster.waits(lambda: (gate / "step_2.2").exists())
    (gate / "go").touch()
    own_cluster.reaches(made, ["complete"], within=60)

    assert {task_history(uuid) for uuid in made} == {LINEAR_4}
    ran = runs(tmp_path / "ledger")
    requeued = WorkflowStep.objects.filter(requeue_count__gt=0)
    for step in WorkflowStep.objects.all():
        assert step.attempts == 1 + step.requeue_count
        least = 1 if step.requeue_count else step.attempts
        assert least <= ran[step.task_id, step.name] <= step.attempts
    assert requeued.filter(task_id=waiting, name="step_2").exists()
    for step in requeued:
        lost = step.transitions.filter(to_state="in_progress").earliest("sort_key")
        assert lost.worker_uuid == holder.pk
