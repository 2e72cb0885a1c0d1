"""A commit that outlasts the lease of what it stores: scenario X15.

A worker's commit that waits (for a deferred trigger here, for a disk or a synchronous standby
elsewhere) holds the row of its step. Nobody may take the step meanwhile, and nobody else may have
to wait: neither the heartbeat of the worker's other claims, nor the reaper of lost workers.
"""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.utils import timezone

from orchestration.lifecycle import due_work
from orchestration.models import TaskerProcess, WorkflowStep
from orchestration.queries.steps import extend_leases
from orchestration.testing import linear
from tests.clusters import Cluster, step
from tests.factories import ticks
from tests.factories.histories import RAN_ONCE, step_histories
from tests.handlers import business
from tests.handlers.trouble import HeldCommits, held_commits
from tests.races import overtake

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
QUICK = {"TASKER_LEASE_SECONDS": "5", "TASKER_HEARTBEAT_SECONDS": "1"}
WAIT = {"step_1": {"handler": {"callable": "test.wait"}}}
WRITE = {"step_1": {"handler": {"callable": "business.write"}}}
RAN_AFTER_A_LOSS = "pending enqueued in_progress enqueued:worker_lost in_progress efo complete"
ANSWER_SECONDS = (
    20  # a reaper that waits for a lock never answers: its limit is 5 s, again and again
)


@pytest.fixture
def held() -> Iterator[HeldCommits]:
    with business.business_rows(), held_commits("business_rows", when="NEW.attempt = 1") as found:
        yield found


def start_waiting(cluster: Cluster, gate, name: str, *, namespace: str = "test"):
    """Start a step that waits at a gate of its own."""
    (gate / name).mkdir()
    template = linear(1, name=name, namespace=namespace, steps=WAIT)
    created = ticks.start(template, {"gate": str(gate / name)})
    cluster.waits(lambda: (gate / name / "step_1.1").exists(), within=20)
    return created.task_uuid


def lease_of(task_uuid):
    found = step(task_uuid, "step_1").lease_until
    assert found is not None
    return found


@pytest.mark.listens
def test_a_commit_longer_than_its_lease_is_fenced_and_keeps_nobody_waiting(
    held, own_cluster: Cluster, gate
):
    for _ in range(2):
        own_cluster.orchestrator(**QUICK)
    own_cluster.worker("test", "--slots", "2", **QUICK)
    sibling = start_waiting(own_cluster, gate, "sibling")
    slow = ticks.start(linear(1, name="business", steps=WRITE)).task_uuid
    own_cluster.register(linear(1, name="lost", namespace="other", steps=WAIT))
    doomed = own_cluster.worker("other", **QUICK)
    locks = TaskerProcess.objects.filter(has_liveness_lock=True, pid=doomed.child.pid)
    own_cluster.waits(locks.exists)
    lost = start_waiting(own_cluster, gate, "lost", namespace="other")
    own_cluster.worker("other", **QUICK)

    own_cluster.waits(lambda: held.is_any_held)
    own_cluster.waits(lambda: lease_of(slow) < timezone.now(), within=15)
    doomed.kill()
    over = lease_of(sibling)
    own_cluster.waits((gate / "lost" / "step_1.2").exists, within=ANSWER_SECONDS)
    own_cluster.waits(lambda: lease_of(sibling) > over, within=ANSWER_SECONDS)
    assert held.is_any_held
    assert step(slow, "step_1").state == "in_progress"

    held.let_go()
    for name in ("sibling", "lost"):
        (gate / name / "go").touch()
    own_cluster.settles(slow, sibling, lost, within=20)

    assert step_histories(slow) == step_histories(sibling) == {"step_1": RAN_ONCE}
    assert step_histories(lost) == {"step_1": RAN_AFTER_A_LOSS}
    assert business.differences() == []


# ------------------------------------------------------------ the same by hand


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_prolongs_what_it_can_and_takes_nothing_for_lost():
    ticks.start(linear(1, name="slow"))
    ticks.start(linear(1, name="sibling"))
    slow, sibling = ticks.claim()
    keys = [(each.workflow_step_uuid, each.state_version) for each in (slow, sibling)]

    _, kept = overtake(
        lambda: ticks.report(ticks.success(slow)), lambda: extend_leases(keys, lease_seconds=900)
    )

    assert set(kept) == {uuid for uuid, _ in keys}
    assert kept[slow.workflow_step_uuid] == slow.lease_until
    assert kept[sibling.workflow_step_uuid] > sibling.lease_until
    assert set(extend_leases(keys, lease_seconds=900)) == {sibling.workflow_step_uuid}


@pytest.mark.django_db(transaction=True)
def test_a_report_that_is_not_committed_yet_does_not_stop_the_reaper():
    slow = ticks.start(linear(1, name="slow"))
    lost = ticks.start(linear(1, name="lost"))
    claims = {each.task_uuid: each for each in ticks.claim()}
    with connections["default"].cursor() as cursor:
        cursor.execute("UPDATE tasker_workflow_steps SET lease_until = now() - interval '1 s'")

    accepted, reaped = overtake(
        lambda: ticks.report(ticks.success(claims[slow.task_uuid])),
        lambda: due_work.reap_lost_claims(move=ticks.MOVE),
    )

    assert (accepted, reaped) == ([True], 1)
    requeued = WorkflowStep.objects.filter(requeue_count=1)
    assert [each.task_id for each in requeued] == [lost.task_uuid]
    ticks.process()
    ticks.run_to_the_end()
    assert step_histories(slow.task_uuid) == {"step_1": RAN_ONCE}
    ticks.assert_invariants()
