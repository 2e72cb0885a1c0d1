"""A real orchestrator ends a task that nobody works on, at the look after its limit."""

from datetime import timedelta

import pytest

from orchestration.models import DlqEntry, Task, WorkflowStep
from orchestration.testing import linear
from tests.clusters import Cluster
from tests.factories import ticks
from tests.factories.histories import task_history

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]


def test_a_task_that_nobody_works_on_is_entered_and_ended(own_cluster: Cluster) -> None:
    stale = ticks.start(linear(1))
    hour_ago = Task.objects.get().state_entered_at - timedelta(hours=1)
    Task.objects.update(state_entered_at=hour_ago)
    WorkflowStep.objects.update(state_entered_at=hour_ago)
    fresh = ticks.start(linear(1))
    own_cluster.orchestrator(TASKER_STALENESS_INTERVAL_SECONDS="5")

    # The engine has one interval to move the task itself.
    own_cluster.settles(stale.task_uuid, within=20)

    assert task_history(stale.task_uuid) == "P I Q S X:timeout"
    assert task_history(fresh.task_uuid) == "P I Q S"
    entry = DlqEntry.objects.get()
    assert (entry.task_id, entry.dlq_reason) == (stale.task_uuid, "worker_unavailable")


def test_a_worker_that_comes_within_the_interval_is_in_time(own_cluster: Cluster) -> None:
    created = ticks.start(linear(1))
    hour_ago = Task.objects.get().state_entered_at - timedelta(hours=1)
    Task.objects.update(state_entered_at=hour_ago)
    WorkflowStep.objects.update(state_entered_at=hour_ago)
    own_cluster.orchestrator(TASKER_STALENESS_INTERVAL_SECONDS="30")
    own_cluster.worker()

    own_cluster.settles(created.task_uuid, within=20)

    assert Task.objects.get().state == "complete"
    assert not DlqEntry.objects.exists()
