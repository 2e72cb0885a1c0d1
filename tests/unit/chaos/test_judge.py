"""The judge finds what it is there to find, and nothing in a run that went well."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from orchestration.queries.invariants import Violation
from tests.chaos.cluster import Kill
from tests.chaos.evidence import Evidence, HopRow, ProcessRow, StepRow, TaskRow
from tests.chaos.judge import judge
from tests.chaos.plan import Plan, TaskPlan
from tests.chaos.recovery import Disturbances, percentile, recoveries
from tests.chaos.tampering import Tampering
from tests.chaos.workflows import StepPlan, Workflow

TASK, FIRST, SECOND, WORKER, OTHER = (UUID(int=n) for n in range(1, 6))
BEGAN = datetime(2030, 1, 1, tzinfo=UTC)
STEPS = (
    StepPlan("a", (), "atomic", milliseconds=10, times=1),
    StepPlan("b", ("a",), "flaky", milliseconds=10, times=1),
)
TASK_PLAN = TaskPlan(
    number=0,
    at=0.0,
    workflow=Workflow("w", "chaos_a", 1, STEPS),
    road="client",
    is_rolled_back=False,
)
PLAN = Plan(seed=1, workflows=(), tasks=(TASK_PLAN,), faults=(), seconds=1.0)
KEY = "chaos-1-0"
CALM = Disturbances()


def hop(step, number, event, state, *, worker=None):
    return HopRow(step, event, state, worker, BEGAN + timedelta(seconds=number))


def run_of(step, *, first=0, worker=WORKER, ends="enqueued_for_orchestration"):
    return [
        hop(step, first, "enqueue", "enqueued"),
        hop(step, first + 1, "start", "in_progress", worker=worker),
        hop(step, first + 2, "report", ends, worker=worker),
    ]


@pytest.fixture
def evidence():
    """What a run leaves behind in which everything went as planned."""
    failed = run_of(SECOND, first=4, ends="enqueued_as_error_for_orchestration")
    return Evidence(
        tasks=[TaskRow(TASK, KEY, "complete", "w")],
        steps={
            TASK: [
                StepRow(FIRST, TASK, "a", "complete", 1, 0, 1, "w-1"),
                StepRow(SECOND, TASK, "b", "complete", 2, 0, 2, "w-1"),
            ]
        },
        hops={
            FIRST: [*run_of(FIRST), hop(FIRST, 3, "complete", "complete")],
            SECOND: [*failed, *run_of(SECOND, first=8), hop(SECOND, 11, "complete", "complete")],
        },
        processes=[ProcessRow(WORKER, "w-1", 11, True), ProcessRow(OTHER, "w-2", 12, True)],
        accepted=Counter({(FIRST, True): 1, (SECOND, True): 1, (SECOND, False): 1}),
        effects=Counter({(TASK, "a"): 1}),
        orders=Counter({KEY: 1}),
        buried=set(),
        left={"worker_chaos_a_queue": 0},
    )


def verdict(evidence, *, promised=(TASK_PLAN,), plan=PLAN, tampering=None, violations=()):
    findings = judge(
        plan,
        evidence,
        promised=promised,
        tampering=tampering or Tampering(),
        violations=violations,
    )
    return [(each.kind, each.text) for each in findings]


def change_step(evidence, number, **changes):
    evidence.steps[TASK][number] = evidence.steps[TASK][number]._replace(**changes)


def test_nothing_to_find(evidence):
    assert verdict(evidence) == []


def test_a_task_that_does_not_rest_is_stuck(evidence):
    evidence.tasks[0] = evidence.tasks[0]._replace(state="steps_in_process")

    assert verdict(evidence) == [("stuck", "w is still steps_in_process")]


def test_a_message_that_stays_is_stuck(evidence):
    evidence.left["worker_chaos_a_queue"] = 2

    assert verdict(evidence) == [("stuck", "2 messages are left in worker_chaos_a_queue")]


def test_a_promised_task_that_is_not_there_is_lost(evidence):
    other = replace(TASK_PLAN, number=1, road="queue")

    assert verdict(evidence, promised=(TASK_PLAN, other)) == [
        ("lost", "chaos-1-1 (queue) was promised and does not exist")
    ]


def test_a_task_without_its_order(evidence):
    evidence.orders.clear()

    assert verdict(evidence) == [("wrong", "chaos-1-0 has 0 orders, not 1")]


def test_a_task_that_was_rolled_back_must_not_exist(evidence):
    rolled_back = replace(TASK_PLAN, is_rolled_back=True)

    found = verdict(evidence, promised=(), plan=replace(PLAN, tasks=(rolled_back,)))

    assert found == [("wrong", "chaos-1-0 exists, its transaction did not")]


def test_a_task_that_nobody_planned(evidence):
    evidence.tasks.append(TaskRow(uuid4(), None, "complete", "w"))

    assert verdict(evidence) == [("wrong", "nobody asked for this task (None)")]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"state": "error"}, "b (flaky) is error, planned complete"),
        ({"value": 3}, "b gave 3, planned 2"),
        ({"attempts": 3}, "b has 3 attempts, its history 2"),
        ({"reporter": "w-2"}, "b was held by w-1, and w-2's result was accepted"),
    ],
)
def test_a_step_that_ended_otherwise(evidence, changes, text):
    change_step(evidence, 1, **changes)

    [(kind, said)] = verdict(evidence)
    assert kind == "wrong"
    assert text in said


def test_an_attempt_that_was_to_fail_and_did_not(evidence):
    change_step(evidence, 1, attempts=1)
    evidence.hops[SECOND] = [*run_of(SECOND), hop(SECOND, 3, "complete", "complete")]
    del evidence.accepted[SECOND, False]

    [(kind, said)] = verdict(evidence)
    assert kind == "wrong"
    assert "b succeeded in attempt 1, planned after 1" in said


def test_a_task_that_ended_otherwise(evidence):
    evidence.tasks[0] = evidence.tasks[0]._replace(state="blocked_by_failures")

    assert verdict(evidence) == [("wrong", "w: the task is blocked_by_failures, planned complete")]


def test_a_business_row_that_was_written_twice(evidence):
    evidence.effects[TASK, "a"] = 2

    assert verdict(evidence) == [
        ("doubled_effects", "a (atomic) is complete and wrote 2 business rows")
    ]


def test_a_business_row_that_is_missing(evidence):
    evidence.effects.clear()

    assert verdict(evidence) == [("wrong", "a (atomic) is complete and wrote 0 business rows")]


def test_a_result_that_was_accepted_twice(evidence):
    evidence.accepted[FIRST, True] = 2

    assert verdict(evidence) == [
        ("doubled_effects", "a: 2 successes, 1 completions"),
        ("wrong", "a: 2 audit rows, 1 reports in its history"),
    ]


def test_a_malformed_message_has_to_be_in_the_dlq_unless_purged(evidence):
    tampering = Tampering()
    tampering.malformed = {("q", 1), ("q", 2), ("q", 3)}
    tampering.purged = {("q", 1)}
    evidence.buried.add(("q", 2))

    assert verdict(evidence, tampering=tampering) == [
        ("wrong", "malformed message 3 of q has no DLQ entry")
    ]


def test_a_broken_invariant_names_its_task(evidence):
    seen = ("during the run", Violation("I5", FIRST, "no message"))

    findings = judge(PLAN, evidence, promised=[], tampering=Tampering(), violations=[seen])

    assert [tuple(each) for each in findings] == [
        ("invariant_violations", TASK, "I5 during the run: no message")
    ]


class TestRecovery:
    """From a kill to the next claim."""

    KILL = Kill("w-1", 11, "Hybrid", BEGAN.timestamp() + 2)

    @pytest.fixture
    def taken_over(self, evidence):
        evidence.hops[FIRST] = [
            hop(FIRST, 1, "start", "in_progress", worker=WORKER),
            hop(FIRST, 5, "worker_lost", "enqueued"),
            hop(FIRST, 6, "start", "in_progress", worker=OTHER),
        ]
        return evidence

    def groups(self, evidence, *, others=CALM, offset=0.0):
        found = recoveries(evidence, [self.KILL], others=others, clock_offset=offset)
        return [(each.seconds, each.group) for each in found]

    def test_of_a_worker_with_its_lock(self, taken_over):
        assert self.groups(taken_over) == [(4.0, "")]
        assert self.groups(taken_over, offset=0.5) == [(3.5, "")]

    def test_of_a_worker_without_a_lock(self, taken_over):
        row = taken_over.by_uuid[WORKER]._replace(has_liveness_lock=False)
        taken_over.processes[0] = row

        assert self.groups(taken_over) == [(4.0, "lease_bound_")]

    @pytest.mark.parametrize(
        ("gone", "back", "group"),
        [(3, 5, "disturbed_"), (-3, -1, "disturbed_"), (-5, -3, ""), (4.5, 6, "")],
    )
    def test_while_the_database_is_away(self, taken_over, gone, back, group):
        others = Disturbances([(self.KILL.at + gone, self.KILL.at + back)])

        assert self.groups(taken_over, others=others) == [(4.0, group)]

    @pytest.mark.parametrize(("after", "group"), [(-1, ""), (3, "disturbed_"), (9, "")])
    def test_of_a_step_whose_message_was_thrown_away_meanwhile(self, taken_over, after, group):
        others = Disturbances(purges={FIRST: [self.KILL.at + after]})

        assert self.groups(taken_over, others=others) == [(4.0, group)]

    def test_a_step_that_had_ended_before_is_none(self, evidence):
        assert self.groups(evidence) == []

    def test_percentiles_are_measured_values(self):
        values = [float(n) for n in range(1, 101)]

        assert [percentile(values, share) for share in (0.5, 0.95, 0.99)] == [50, 95, 99]
        assert percentile([2.5], 0.95) == 2.5
        assert percentile([], 0.95) is None
