"""What comes late or twice changes nothing, whoever else is at work: scenarios X3 and X10."""

import signal

import pytest
from django.db import connections, transaction

from orchestration.lifecycle.operator_actions import reset_step
from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.models import StepResultAudit, StepTransition
from orchestration.queries.steps import extend_leases, release_steps, save_checkpoint
from orchestration.testing import diamond, linear
from tests.clusters import Cluster, execution, step
from tests.factories import ticks
from tests.factories.histories import LINEAR_4, RAN_ONCE, states, step_histories, task_history

pytestmark = pytest.mark.acceptance
DROPPED = ("step.report_stale", "lease.expired")
TWO_LIVES = (
    "pending enqueued in_progress error:worker_lost pending:reset_for_retry "
    "enqueued in_progress efo complete"
)


def send_waiting_results_again(times: int) -> None:
    """Put copies of all waiting result messages into their queue, between the originals."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO pgmq.q_orchestration_step_results (vt, message) "
            "SELECT vt, message FROM pgmq.q_orchestration_step_results, generate_series(1, %s) "
            "ORDER BY random()",
            [times],
        )


# ------------------------------------------------------------ X3


def test_results_that_come_four_times_move_once_with_three_orchestrators(own_cluster: Cluster):
    # Two at a time, so that the copies of one message are in several hands.
    for _ in range(3):
        own_cluster.orchestrator(TASKER_RESULT_BATCH_COUNT="2")
    chains = [ticks.start(linear(4)).task_uuid for _ in range(20)]
    forks = [ticks.start(diamond()).task_uuid for _ in range(20)]

    with transaction.atomic():
        ticks.report(*map(ticks.success, ticks.claim(limit=40)))
        send_waiting_results_again(3)
        assert pgmq.metrics(RESULTS_QUEUE).depth == 40 * 4
    own_cluster.waits(lambda: pgmq.metrics(RESULTS_QUEUE).depth == 0)
    processors = StepTransition.objects.filter(to_state="complete").values("processor_uuid")
    assert processors.distinct().count() == 3
    between = {task_history(uuid) for uuid in (*chains, *forks)}
    own_cluster.worker("test", "--slots", "4")
    own_cluster.settles(*chains, *forks, within=20)

    assert between == {"P I Q S E Q S"}
    assert {task_history(uuid) for uuid in chains} == {LINEAR_4}
    for uuid in (*chains, *forks):
        assert set(step_histories(uuid).values()) == {RAN_ONCE}
    assert StepResultAudit.objects.count() == 40 * 4


# ------------------------------------------------------------ X10


@pytest.mark.django_db(transaction=True)
def test_zombie_of_the_same_attempt_number_has_no_say():
    created = ticks.start(linear(2, steps={"step_1": {"retry": {"max_attempts": 1}}}))
    (claimed,) = ticks.claim()
    assert ticks.report(ticks.failure(claimed)) == [True]
    ticks.process()
    reset_step(claimed.workflow_step_uuid, actor="user:1")
    (second,) = ticks.claim()
    uuid, stale = claimed.workflow_step_uuid, claimed.state_version
    before = step(created.task_uuid, "step_1")

    accepted = ticks.report(ticks.success(claimed, {"from": "the zombie"}))

    assert (claimed.attempts, second.attempts) == (1, 1)
    assert accepted == [False]
    assert extend_leases([(uuid, stale)], lease_seconds=900) == {}
    assert not save_checkpoint(uuid, state_version=stale, checkpoint={"cursor": 1})
    assert release_steps([(uuid, stale)]) == []
    after = step(created.task_uuid, "step_1")
    assert (after.state, after.state_version, after.lease_until, after.checkpoint) == (
        before.state,
        before.state_version,
        before.lease_until,
        None,
    )
    assert pgmq.metrics(RESULTS_QUEUE).depth == 0
    assert ticks.report(ticks.success(second, {"from": "the second"})) == [True]
    ticks.process()
    assert execution(created.task_uuid, "step_1")["result"] == {"from": "the second"}
    assert states(created.task_uuid) == {"step_1": "complete", "step_2": "enqueued"}
    ticks.assert_invariants()


def test_frozen_worker_that_wakes_after_a_reset_is_refused(own_cluster: Cluster, gate):
    own_cluster.orchestrator()
    frozen = own_cluster.worker()
    only_once = {"handler": {"callable": "test.wait"}, "retry": {"max_attempts": 1}}
    template = linear(1, name="waiting", steps={"step_1": only_once})
    task_uuid = ticks.start(template, {"gate": str(gate)}).task_uuid
    own_cluster.waits(lambda: (gate / "step_1.1").exists())
    frozen.send(signal.SIGSTOP)
    try:
        own_cluster.settles(task_uuid, within=15)
        lost = task_history(task_uuid)
        (gate / "go").touch()
        own_cluster.worker()
        reset_step(step(task_uuid, "step_1").pk, actor="user:1")
        own_cluster.reaches([task_uuid], ["complete"])
        accepted = execution(task_uuid, "step_1")
    finally:
        frozen.send(signal.SIGCONT)
    # Its report is refused, or its heartbeat comes first and finds the claim gone.
    own_cluster.waits(lambda: any(said in frozen.output for said in DROPPED))

    assert lost == "P I Q S E:step_failed B"
    assert accepted["result"]["attempt"] == 1
    assert accepted["result"]["process"] != frozen.child.pid
    assert execution(task_uuid, "step_1") == accepted
    assert step_histories(task_uuid) == {"step_1": TWO_LIVES}
    assert StepResultAudit.objects.filter(task_id=task_uuid).count() == 1
    assert frozen.child.poll() is None
