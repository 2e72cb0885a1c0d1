"""Workers that die or freeze in the middle of a handler: scenarios X4, X5 and X6."""

import signal
import time

import pytest

from orchestration.models import StepResultAudit, StepTransition, TaskerProcess
from orchestration.testing import linear
from tests.clusters import Cluster, execution, result, step
from tests.factories import ticks
from tests.factories.histories import step_histories, task_history
from tests.processes import ManageProcess

pytestmark = pytest.mark.acceptance
WAIT = {"handler": {"callable": "test.wait"}}
LONG_LEASE = {"TASKER_LEASE_SECONDS": "60", "TASKER_HEARTBEAT_SECONDS": "2"}
RAN_AFTER_A_LOSS = "pending enqueued in_progress enqueued:worker_lost in_progress efo complete"


def start_waiting(cluster: Cluster, gate, **said):
    """Start a task whose only step is running and waits at the gate."""
    template = linear(1, name="waiting", steps={"step_1": WAIT | said})
    created = ticks.start(template, {"gate": str(gate)})
    cluster.waits(lambda: (gate / "step_1.1").exists())
    return created.task_uuid


def has_lock(worker: ManageProcess) -> bool:
    return TaskerProcess.objects.filter(pid=worker.child.pid, has_liveness_lock=True).exists()


def worker_uuid(worker: ManageProcess):
    return TaskerProcess.objects.get(pid=worker.child.pid).worker_uuid


@pytest.mark.listens
def test_step_of_a_killed_worker_runs_again_within_five_seconds(own_cluster: Cluster, gate):
    own_cluster.orchestrator(**LONG_LEASE)
    doomed = own_cluster.worker(**LONG_LEASE)
    own_cluster.waits(lambda: has_lock(doomed), within=15)
    task_uuid = start_waiting(own_cluster, gate)
    lost_uuid = worker_uuid(doomed)
    heir = own_cluster.worker(**LONG_LEASE)

    doomed.kill()
    killed = time.monotonic()
    own_cluster.waits(lambda: (gate / "step_1.2").exists(), within=10)
    again_after = time.monotonic() - killed
    (gate / "go").touch()
    own_cluster.settles(task_uuid)

    # The lease alone would have lasted for up to a minute: the lock told.
    assert again_after <= 5
    assert step_histories(task_uuid) == {"step_1": RAN_AFTER_A_LOSS}
    assert task_history(task_uuid) == "P I Q S E C"
    found = step(task_uuid, "step_1")
    assert (found.attempts, found.requeue_count) == (2, 1)
    claims = StepTransition.objects.filter(workflow_step=found, to_state="in_progress")
    assert list(claims.order_by("sort_key").values_list("worker_uuid", flat=True)) == [
        lost_uuid,
        worker_uuid(heir),
    ]
    assert StepResultAudit.objects.filter(task_id=task_uuid).count() == 1
    assert TaskerProcess.objects.get(pk=lost_uuid).status == "lost"


def test_step_of_a_killed_worker_without_lock_runs_again_when_its_lease_ends(
    own_cluster: Cluster, gate
):
    own_cluster.orchestrator("--mode", "PollingOnly")
    doomed = own_cluster.worker("test", "--mode", "PollingOnly")
    task_uuid = start_waiting(own_cluster, gate)
    assert not has_lock(doomed)
    own_cluster.worker("test", "--mode", "PollingOnly")

    doomed.kill()
    killed = time.monotonic()
    own_cluster.waits(lambda: (gate / "step_1.2").exists(), within=15)
    again_after = time.monotonic() - killed
    (gate / "go").touch()
    own_cluster.settles(task_uuid)

    assert again_after <= 6 + 2 + 1  # the lease of the test profile, the look-out, a poll
    assert step_histories(task_uuid) == {"step_1": RAN_AFTER_A_LOSS}
    assert task_history(task_uuid) == "P I Q S E C"


@pytest.mark.listens
def test_killed_handler_goes_on_from_its_checkpoint(own_cluster: Cluster, gate):
    own_cluster.orchestrator()
    doomed = own_cluster.worker()
    own_cluster.waits(lambda: has_lock(doomed))
    template = linear(1, name="count", steps={"step_1": {"handler": {"callable": "test.count"}}})
    ledger = gate / "ledger"
    context = {"gate": str(gate), "ledger": str(ledger)}
    task_uuid = ticks.start(template, context).task_uuid
    own_cluster.waits(lambda: (gate / "step_1.1").exists())
    kept = step(task_uuid, "step_1").checkpoint or {}

    doomed.kill()
    own_cluster.worker()
    own_cluster.waits(lambda: (gate / "step_1.2").exists())
    (gate / "go").touch()
    own_cluster.settles(task_uuid)

    assert (kept["cursor"], kept["accumulated_results"]) == (50, {"total": 1275})
    assert result(task_uuid, "step_1") == {"total": 5050}
    assert step_histories(task_uuid) == {"step_1": RAN_AFTER_A_LOSS}
    assert step(task_uuid, "step_1").attempts == 2
    # 25, 50, the part that was killed (noted by count and by wait), the same again, the last.
    assert len(ledger.read_text().splitlines()) == 2 + 2 + 2 + 1


@pytest.mark.listens
@pytest.mark.parametrize("retry", [{"max_attempts": 1}, {"retryable": False}])
def test_step_of_a_killed_worker_fails_when_no_attempt_is_left(own_cluster: Cluster, gate, retry):
    own_cluster.orchestrator()
    doomed = own_cluster.worker()
    own_cluster.waits(lambda: has_lock(doomed))
    task_uuid = start_waiting(own_cluster, gate, retry=retry)

    doomed.kill()
    own_cluster.settles(task_uuid)

    assert step_histories(task_uuid) == {"step_1": "pending enqueued in_progress error:worker_lost"}
    assert task_history(task_uuid) == "P I Q S E:step_failed B"
    assert execution(task_uuid, "step_1")["error"]["error_type"] == "worker_lost"


def test_late_report_of_a_frozen_worker_is_refused(own_cluster: Cluster, gate):
    own_cluster.orchestrator()
    frozen = own_cluster.worker()
    task_uuid = start_waiting(own_cluster, gate)
    frozen.send(signal.SIGSTOP)
    try:
        own_cluster.worker()
        own_cluster.waits(lambda: (gate / "step_1.2").exists(), within=15)
        (gate / "go").touch()
        own_cluster.settles(task_uuid)
        accepted = execution(task_uuid, "step_1")
    finally:
        frozen.send(signal.SIGCONT)
    # Its handler sees the open gate, returns, and the worker reports; then it takes work again.
    own_cluster.processes.started[-1].send(signal.SIGTERM)
    assert own_cluster.processes.started[-1].ends() == 0
    other = own_cluster.run(linear(1))

    assert accepted["result"]["attempt"] == 2
    assert execution(task_uuid, "step_1") == accepted
    assert step_histories(task_uuid) == {"step_1": RAN_AFTER_A_LOSS}
    assert task_history(task_uuid) == "P I Q S E C"
    assert StepResultAudit.objects.filter(task_id=task_uuid).count() == 1
    assert task_history(other) == "P I Q S E C"
    assert frozen.child.poll() is None
