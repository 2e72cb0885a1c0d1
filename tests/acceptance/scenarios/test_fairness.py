"""Nobody waits for somebody else's work: scenarios M5, M6, and tasks and namespaces that are huge.

Every claim is about real processes; the rules themselves are tested in
`tests/integration/orchestration/lifecycle/test_discovery.py` and `test_steps_in_flight.py`.
"""

import time

import pytest
from django.db import connections

from orchestration.models import StepTransition, Task, WorkflowStep
from orchestration.testing import linear, shape
from tests.clusters import Cluster
from tests.factories import ticks
from tests.factories.histories import task_history
from tests.processes import can_listen

pytestmark = pytest.mark.acceptance
HIGH_WATER = "10"
LIMIT = 100
GIANT_STEPS = 3000

OLD_WAITING_TASKS = """
WITH tasks AS (
  INSERT INTO tasker_tasks (
    named_task_uuid, template_revision_uuid, state, priority, identity_hash, request_hash,
    created_at
  )
  SELECT t.named_task_uuid, t.template_revision_uuid, 'waiting_for_dependencies', 100,
    'old ' || i, '', now() - interval '90 days'
  FROM tasker_tasks AS t, generate_series(1, %s) AS i
  WHERE t.task_uuid = %s
  RETURNING task_uuid
),
parents AS (
  INSERT INTO tasker_workflow_steps (task_uuid, named_step_uuid, name, state, completed_at)
  SELECT n.task_uuid, s.named_step_uuid, 'step_1', 'cancelled', now()
  FROM tasks AS n, tasker_workflow_steps AS s
  WHERE s.task_uuid = %s AND s.name = 'step_1'
  RETURNING workflow_step_uuid, task_uuid, named_step_uuid
),
children AS (
  INSERT INTO tasker_workflow_steps (task_uuid, named_step_uuid, name)
  SELECT task_uuid, named_step_uuid, 'step_2' FROM parents
  RETURNING workflow_step_uuid, task_uuid
)
INSERT INTO tasker_workflow_step_edges (from_step_uuid, to_step_uuid)
SELECT p.workflow_step_uuid, c.workflow_step_uuid
FROM parents AS p JOIN children AS c USING (task_uuid)
"""


def wide(name, width, **rest):
    return shape(name, {f"root_{n:04}": [] for n in range(width)}, **rest)


def insert_old_waiting_tasks(count, like):
    """Insert tasks that wait for a cancelled step, of highest priority and three months old."""
    with connections["default"].cursor() as cursor:
        cursor.execute(OLD_WAITING_TASKS, [count, like, like])


# ------------------------------------------------------------ M5


def test_fresh_task_starts_in_the_next_round_before_a_thousand_that_wait(own_cluster: Cluster):
    model = ticks.start(linear(2), start=False).task_uuid
    insert_old_waiting_tasks(1000, model)
    own_cluster.orchestrator(TASKER_READY_BATCH_COUNT="1")
    own_cluster.reaches([model], ["steps_in_process"])

    began = time.monotonic()
    fresh = ticks.start(linear(2), start=False).task_uuid
    own_cluster.reaches([fresh], ["steps_in_process"], within=15)

    # Creation wakes discovery; without that its round comes every 5 s.
    assert time.monotonic() - began < (2.5 if can_listen() else 7.5)
    assert Task.objects.filter(state="waiting_for_dependencies").count() == 1000


# ------------------------------------------------------------ M6


def test_backlog_is_let_in_by_priority_and_age(own_cluster: Cluster, settings, gate):
    settings.TASKER = {**settings.TASKER, "high_water_messages": int(HIGH_WATER)}
    steered = {"handler": {"callable": "test.wait"}}
    names = {f"root_{n:04}": steered for n in range(10)}
    flood = ticks.start(wide("flood", 10, steps=names), {"gate": str(gate)}).task_uuid
    priorities = {"zero": 0, "five": 5, "ten": 10, "old zero": 0}
    held = {
        ticks.start(linear(1), priority=priority).task_uuid: name
        for name, priority in priorities.items()
    }
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "UPDATE tasker_tasks SET created_at = created_at - interval '60 hours'"
            " WHERE task_uuid = %s",
            [next(uuid for uuid, name in held.items() if name == "old zero")],
        )
    own_cluster.orchestrator(TASKER_HIGH_WATER_MESSAGES=HIGH_WATER, TASKER_READY_BATCH_COUNT="1")
    own_cluster.worker("test", "--slots", "10")
    own_cluster.waits(lambda: len(list(gate.iterdir())) == 10)
    assert {task_history(uuid) for uuid in held} == {"P"}

    (gate / "go").touch()
    own_cluster.reaches([flood, *held], ["complete"], within=30)

    starts = StepTransition.objects.filter(
        workflow_step__task_id__in=held, to_state="enqueued"
    ).order_by("created_at")
    order = [held[uuid] for uuid in starts.values_list("workflow_step__task_id", flat=True)]
    # 60 hours are worth 6: between 5 and 10.
    assert order == ["ten", "old zero", "five", "zero"]


# ------------------------------------------------------------ namespaces


def test_namespace_deep_in_backlog_delays_no_other(own_cluster: Cluster, settings):
    settings.TASKER = {**settings.TASKER, "high_water_messages": int(HIGH_WATER)}
    own_cluster.register(linear(1, namespace="swamped"))
    ticks.start(wide("flood", 10, namespace="swamped"))
    swamped = [
        ticks.start(linear(1, namespace="swamped"), priority=100).task_uuid for _ in range(60)
    ]
    own_cluster.orchestrator(TASKER_HIGH_WATER_MESSAGES=HIGH_WATER, TASKER_READY_BATCH_COUNT="1")
    own_cluster.worker()

    began = time.monotonic()
    others = [ticks.start(linear(4), start=number % 2 == 0).task_uuid for number in range(10)]
    own_cluster.reaches(others, ["complete"], within=15)

    assert time.monotonic() - began < 8
    assert {task_history(uuid) for uuid in swamped} == {"P"}


# ------------------------------------------------------------ giants


@pytest.mark.timeout(240)
def test_giant_task_lets_small_ones_pass(own_cluster: Cluster, settings):
    settings.TASKER = {**settings.TASKER, "max_steps_in_flight_per_task": LIMIT}
    giant = ticks.start(wide("giant", GIANT_STEPS)).task_uuid
    small = [ticks.start(linear(4)).task_uuid for _ in range(20)]
    own_cluster.orchestrator(TASKER_MAX_STEPS_IN_FLIGHT_PER_TASK=str(LIMIT))
    own_cluster.worker()

    own_cluster.reaches(small, ["complete"], within=60)
    done = WorkflowStep.objects.filter(task_id=giant, state="complete").count()
    own_cluster.reaches([giant], ["complete"], within=180)

    # Four steps of each small one, each behind a full queue of the giant's at worst.
    assert done <= 4 * LIMIT + 200
    assert most_in_flight(giant) == LIMIT


def most_in_flight(task_uuid):
    """Return the greatest number of steps of a task that were in flight at the same time."""
    rows = StepTransition.objects.filter(
        workflow_step__task_id=task_uuid, to_state__in=["enqueued", "complete"]
    ).values_list("created_at", "to_state")
    # A step that ends makes room for the next one in the same transaction.
    changes = sorted((at, state == "enqueued") for at, state in rows)
    count = most = 0
    for _, is_new in changes:
        count += 1 if is_new else -1
        most = max(most, count)
    return most
