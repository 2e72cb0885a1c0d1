"""The plan of the fault injector comes from its seed alone, and says how everything ends."""

import pytest

from tests.chaos.faults import Faults
from tests.chaos.kinds import WEIGHTS
from tests.chaos.plan import ORCHESTRATORS, WORKERS, make_plan
from tests.chaos.workflows import StepPlan, Workflow


def step(name, *parents, kind="plain"):
    return StepPlan(name, parents, kind, milliseconds=10, times=1)


def test_same_seed_means_same_plan():
    first, second = (make_plan(seed=7, tasks=50, faults=40) for _ in range(2))

    assert first == second
    assert first.digest == second.digest
    assert make_plan(seed=8, tasks=50, faults=40).digest != first.digest


def test_faults_have_their_shares():
    assert make_plan(seed=1, tasks=1, faults=300).kinds() == {
        kind: 3 * weight for kind, weight in sorted(WEIGHTS.items())
    }


def test_a_small_run_sees_every_kind():
    assert set(make_plan(seed=1, tasks=1, faults=30).kinds()) == set(WEIGHTS)


def test_only_some_kinds():
    plan = make_plan(seed=1, tasks=1, faults=9, kinds=["kill_worker", "cut_listen"])

    assert set(plan.kinds()) == {"kill_worker", "cut_listen"}
    assert len(plan.faults) == 9


@pytest.mark.parametrize("kind", WEIGHTS)
def test_every_kind_can_be_injected(kind):
    assert callable(getattr(Faults, kind))


def test_moments_are_spread_over_the_run():
    plan = make_plan(seed=3, tasks=400, faults=60)

    for planned in (plan.tasks, plan.faults):
        moments = [each.at for each in planned]
        assert moments == sorted(moments)
        assert 0 <= moments[0] < 2
        assert plan.seconds - 2 < moments[-1] <= plan.seconds


def test_victims_are_of_the_kind_that_is_meant():
    for fault in make_plan(seed=5, tasks=1, faults=100).faults:
        if fault.kind.endswith("_worker"):
            assert set(fault.victims) == set(WORKERS)
        if fault.kind.endswith("_orchestrator"):
            assert set(fault.victims) == set(ORCHESTRATORS)


def test_what_stands_behind_a_failure_stays_pending():
    steps = (step("a"), step("b", "a", kind="permanent"), step("c", "b"), step("d", "a", "c"))
    workflow = Workflow("w", "chaos_a", 1, (*steps, step("e", "a", kind="atomic")))

    assert {name: tuple(each) for name, each in workflow.expected.items()} == {
        "a": ("complete", 1),
        "b": ("error", None),
        "c": ("pending", None),
        "d": ("pending", None),
        "e": ("complete", 2),
    }
    assert workflow.end_state == "blocked_by_failures"


def test_a_join_adds_up_what_its_parents_gave():
    steps = (step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"))
    workflow = Workflow("w", "chaos_a", 1, steps)

    assert workflow.expected["d"] == ("complete", 5)
    assert workflow.end_state == "complete"


def test_a_failure_behind_a_failure_is_never_reached():
    steps = (step("a", kind="exhausted"), step("b", "a", kind="permanent"))

    assert Workflow("w", "chaos_a", 1, steps).expected["b"] == ("pending", None)


def test_workflows_hold_every_behaviour():
    plan = make_plan(seed=1, tasks=1, faults=1)
    kinds = {step.kind for workflow in plan.workflows for step in workflow.steps}

    assert {"plain", "flaky", "atomic", "atomic_flaky", "checkpoint", "hanging"} <= kinds
    assert {workflow.namespace for workflow in plan.workflows} == {"chaos_a", "chaos_b"}
    assert {workflow.end_state for workflow in plan.workflows} == {
        "complete",
        "blocked_by_failures",
    }
