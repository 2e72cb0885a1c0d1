"""Several orchestrators and workers side by side: scenarios X1, X11, M1, M3 and M4."""

import itertools
import threading
import time
from collections import Counter

import pytest
from django.db import connections

from orchestration.errors import DuplicateTaskError
from orchestration.lifecycle.task_initializer import CreatedTask
from orchestration.models import StepTransition, Task, TaskTransition, WorkflowStep
from orchestration.testing import (
    FAIL_PERMANENT,
    dag,
    diamond,
    fail_times,
    fan_in,
    linear,
    tree,
)
from tests.clusters import Cluster
from tests.factories import ticks
from tests.factories.histories import LINEAR_4, RAN_ONCE, states, step_histories, task_history

pytestmark = pytest.mark.acceptance
MODES = ("Hybrid", "EventDrivenOnly", "PollingOnly")
FLAKY = {"handler": fail_times(1), "retry": {"backoff": "linear", "backoff_base_ms": 300}}


def runs(ledger):
    """Return how often each step of each task ran."""
    return Counter(tuple(line.split()) for line in ledger.read_text().splitlines())


# ------------------------------------------------------------ M1, X1


@pytest.mark.timeout(120)
@pytest.mark.parametrize("goes_on", ["with the report", "by message"])
def test_two_hundred_mixed_tasks_run_each_handler_exactly_once(
    own_cluster: Cluster, tmp_path, goes_on
):
    by_message = goes_on == "by message"
    for _ in range(3):
        own_cluster.orchestrator()
        own_cluster.worker("test", "--slots", "4", TASKER_INLINE_ADVANCE=str(not by_message))
    ledger = tmp_path / "ledger"
    shapes = itertools.cycle([linear(4), diamond(), tree(3), dag(), fan_in(5)])

    made = [
        ticks.start(template, {"ledger": str(ledger)}).task_uuid
        for template in itertools.islice(shapes, 200)
    ]
    own_cluster.reaches(made, ["complete"], within=90)

    steps = WorkflowStep.objects.filter(task_id__in=made)
    expected = {(str(task), name): 1 for task, name in steps.values_list("task_id", "name")}
    assert len(expected) == 40 * (4 + 4 + 8 + 7 + 6)
    assert runs(ledger) == expected
    histories = StepTransition.objects.filter(workflow_step__task_id__in=made)
    assert set(histories.values_list("to_state", flat=True)) == {
        "pending",
        "enqueued",
        "in_progress",
        "enqueued_for_orchestration",
        "complete",
    }
    assert histories.count() == 5 * len(expected)
    completions = TaskTransition.objects.filter(task_id__in=made, to_state="complete")
    assert completions.count() == len(made)
    assert {task_history(uuid) for uuid in made[::5]} == {LINEAR_4}
    if by_message:
        assert all_orchestrators_worked(made)


def all_orchestrators_worked(made):
    rows = TaskTransition.objects.filter(task_id__in=made, to_state="evaluating_results")
    return rows.values("processor_uuid").distinct().count() == 3


@pytest.mark.timeout(90)
def test_join_of_fifty_is_enqueued_once_by_three_orchestrators(own_cluster: Cluster):
    for _ in range(3):
        own_cluster.orchestrator(TASKER_RESULT_BATCH_COUNT="5")
    task_uuid = ticks.start(fan_in(50)).task_uuid
    claims = ticks.claim(limit=50)

    ticks.report(*map(ticks.success, claims))
    own_cluster.waits(lambda: states(task_uuid)["join"] == "enqueued", within=30)
    own_cluster.worker()
    own_cluster.settles(task_uuid)

    assert set(step_histories(task_uuid).values()) == {RAN_ONCE}
    history = task_history(task_uuid).split()
    assert history.count("Q") == 2
    assert history.count("C") == 1
    assert len(StepTransition.objects.filter(workflow_step__task_id=task_uuid)) == 51 * 5


def test_mixed_outcomes_are_the_same_with_many_processes(own_cluster: Cluster):
    for _ in range(2):
        own_cluster.orchestrator()
        own_cluster.worker("test", "--slots", "4")
    broken = diamond(name="broken", steps={"right": {"handler": FAIL_PERMANENT}})
    flaky = diamond(name="flaky", steps={"left": FLAKY, "right": FLAKY})

    made = [(template, ticks.start(template).task_uuid) for template in [broken, flaky] * 10]
    own_cluster.settles(*(uuid for _, uuid in made), within=30)

    for template, uuid in made:
        state = Task.objects.get(pk=uuid).state
        assert state == ("blocked_by_failures" if template is broken else "complete")
        tried = dict(WorkflowStep.objects.filter(task_id=uuid).values_list("name", "attempts"))
        assert tried == (
            {"start": 1, "left": 1, "right": 1, "join": 0}
            if template is broken
            else {"start": 1, "left": 2, "right": 2, "join": 1}
        )


# ------------------------------------------------------------ M3


@pytest.mark.parametrize("modes", [*((mode, mode) for mode in MODES), MODES[1:], MODES[:0:-1]])
def test_end_states_are_the_same_in_every_mode(own_cluster: Cluster, modes):
    orchestrator_mode, worker_mode = modes
    own_cluster.orchestrator("--mode", orchestrator_mode)
    own_cluster.worker("test", "--mode", worker_mode)
    broken = linear(2, name="broken", steps={"step_1": {"handler": FAIL_PERMANENT}})
    flaky = linear(2, name="flaky", steps={"step_1": FLAKY})

    made = [ticks.start(each).task_uuid for each in (linear(4), flaky, broken)]
    own_cluster.settles(*made, within=20)

    assert [task_history(uuid) for uuid in made] == [
        LINEAR_4,
        "P I Q S E:step_failed R Q S E Q S E C",
        "P I Q S E:step_failed B",
    ]


def test_processes_of_all_modes_work_side_by_side(own_cluster: Cluster):
    for mode in MODES:
        own_cluster.orchestrator("--mode", mode)
        own_cluster.worker("test", "--mode", mode)

    made = [ticks.start(linear(4)).task_uuid for _ in range(30)]
    own_cluster.settles(*made, within=30)

    assert {task_history(uuid) for uuid in made} == {LINEAR_4}


def test_four_steps_take_less_than_a_second_by_notifications_alone(own_cluster: Cluster):
    # A poll far away: every wake-up is a notification's.
    far = {"TASKER_ORCHESTRATOR_POLL_MS": "300000", "TASKER_WORKER_POLL_MS": "300000"}
    own_cluster.orchestrator("--mode", "EventDrivenOnly", TASKER_SWEEP_SECONDS="3600", **far)
    own_cluster.worker("test", "--mode", "EventDrivenOnly", TASKER_SWEEP_SECONDS="3600", **far)
    own_cluster.run(linear(4))  # until here the processes may still have been starting

    durations = []
    for _ in range(3):
        began = time.monotonic()
        task_uuid = own_cluster.run(linear(4))
        durations.append(time.monotonic() - began)
        assert task_history(task_uuid) == LINEAR_4

    assert sorted(durations)[1] < 1


# ------------------------------------------------------------ M4


def test_steps_of_a_namespace_wait_for_its_own_worker(own_cluster: Cluster):
    own_cluster.register(linear(2, namespace="alpha"))
    own_cluster.register(linear(2, namespace="beta"))
    own_cluster.orchestrator()
    own_cluster.worker("alpha")

    alpha = ticks.start(linear(2, namespace="alpha")).task_uuid
    beta = ticks.start(linear(2, namespace="beta")).task_uuid
    own_cluster.settles(alpha)
    between = task_history(beta), states(beta)
    own_cluster.worker("beta")
    own_cluster.settles(beta)

    assert between == ("P I Q S", {"step_1": "enqueued", "step_2": "pending"})
    for uuid in (alpha, beta):
        assert task_history(uuid) == "P I Q S E Q S E C"
    workers = {
        uuid: set(
            StepTransition.objects.filter(
                workflow_step__task_id=uuid, to_state="in_progress"
            ).values_list("worker_uuid", flat=True)
        )
        for uuid in (alpha, beta)
    }
    assert len(workers[alpha]) == len(workers[beta]) == 1
    assert workers[alpha] != workers[beta]


# ------------------------------------------------------------ X11


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_key", [True, False], ids=["one key", "strict"])
def test_fifty_simultaneous_creations_make_one_task(has_key):
    strategy = "always_unique" if has_key else "strict"
    template = linear(2, name="raced", identity_strategy=strategy)
    Cluster.register(template)
    barrier = threading.Barrier(50)
    answers: list[CreatedTask] = []
    refusals: list[DuplicateTaskError] = []

    def create() -> None:
        barrier.wait()
        try:
            key = {"idempotency_key": "one"} if has_key else {}
            answers.append(ticks.start(template, {"a": 1}, **key))
        except DuplicateTaskError as error:
            refusals.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=create) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    task = Task.objects.get()
    assert {answer.task_uuid for answer in answers} == {task.pk}
    assert [answer.created for answer in answers].count(True) == 1
    assert len(answers) == (50 if has_key else 1)
    assert len(refusals) == (0 if has_key else 49)
    assert task_history(task.pk) == "P I Q S"
    ticks.assert_invariants()
