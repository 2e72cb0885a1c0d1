"""Decisions, batches and checkpoints with one process of each kind: scenarios D1 to D7."""

from typing import Any

import pytest

from orchestration.lifecycle import operator_actions as act
from orchestration.models import StepTransition, Task
from tests.clusters import Cluster, execution, result, step
from tests.factories import ticks
from tests.factories.dynamic import dynamic, names, parents, route
from tests.factories.histories import RAN_ONCE, states, step_histories, task_history

pytestmark = pytest.mark.acceptance
WITH: dict[str, Any] = {"actor": "ops", "reason": "because"}
AS_TOLD = {"handler": {"callable": "branching.as_told"}}
ANALYSE: dict[str, Any] = {"callable": "branching.analyse"}
WORK = {"handler": {"callable": "branching.add_up"}, "retry": {"backoff": "none"}}
SUM_UP = {"handler": {"callable": "branching.sum_up"}}


def approval(handler="branching.by_amount"):
    graph = "validate; ?decide < validate; auto < decide; manager < decide; finance < decide;"
    return dynamic(
        "approval_process",
        f"{graph} +finalize < auto manager finance",
        steps={"decide": {"handler": {"callable": handler}}},
    )


def batch(*, placeholder=False):
    """Return analyse → work, one instance per batch → aggregate."""
    config = {"worker_template_name": "work"} if placeholder else {}
    return dynamic(
        "batch_process",
        "*analyse; #work < analyse; +aggregate < work",
        steps={
            "analyse": {"handler": ANALYSE | {"initialization": config}},
            "work": WORK,
            "aggregate": SUM_UP,
        },
    )


def state_of(task_uuid):
    return Task.objects.get(pk=task_uuid).state


def dispatches(ledger, name):
    """Return how often the handler of a step was called."""
    return sum(line.endswith(f" {name}") for line in ledger.read_text().splitlines())


# ------------------------------------------------------------ D1 to D3: decisions


def test_amount_decides_who_approves(engine: Cluster):
    wanted = {500: {"auto"}, 2500: {"manager"}, 10_000: {"manager", "finance"}}
    tasks = {}
    for amount in wanted:
        created = ticks.start(approval(), {"amount": amount}, start=False)
        assert names(created.task_uuid) == {"validate", "decide"}
        tasks[amount] = created.task_uuid

    engine.settles(*tasks.values(), within=20)

    for amount, branches in wanted.items():
        task_uuid = tasks[amount]
        assert step_histories(task_uuid) == dict.fromkeys(
            {"validate", "decide", "finalize", *branches}, RAN_ONCE
        )
        assert set(parents(task_uuid, "finalize")) == branches
        assert result(task_uuid, "finalize")["saw"] == sorted({"validate", "decide", *branches})
        assert task_history(task_uuid).startswith("P I Q S E Q S E Q S")
        assert state_of(task_uuid) == "complete"


def test_task_completes_without_its_convergence_when_no_branch_is_taken(engine: Cluster):
    task_uuid = engine.run(approval("branching.as_told"), {"branches": {"decide": []}})

    assert step_histories(task_uuid) == {"validate": RAN_ONCE, "decide": RAN_ONCE}
    assert task_history(task_uuid) == "P I Q S E Q S E C"


def test_unknown_branch_blocks_the_task_until_somebody_names_a_good_one(engine: Cluster):
    template = approval("branching.as_told")
    task_uuid = engine.run(template, {"branches": {"decide": ["nowhere"]}})
    error = execution(task_uuid, "decide")["error"]
    blocked = states(task_uuid), task_history(task_uuid)

    act.complete_step(step(task_uuid, "decide").pk, result=route("auto"), **WITH)
    engine.settles(task_uuid)

    assert (error["error_type"], error["error_code"]) == ("decision_error", "INVALID_DESCENDANT")
    assert "nowhere" in error["message"]
    assert blocked == (
        {"validate": "complete", "decide": "error"},
        "P I Q S E Q S E:step_failed B",
    )
    assert states(task_uuid) == dict.fromkeys(
        ["validate", "decide", "auto", "finalize"], "complete"
    )


# ------------------------------------------------------------ D4: one inside the other


def test_convergence_waits_for_the_batches_of_a_branch(engine: Cluster):
    template = dynamic(
        "nested_process",
        "s; ?decide < s; plain < decide; *analyse < decide; #work < analyse; +end < plain work",
        steps={
            "decide": AS_TOLD,
            "analyse": {"handler": ANALYSE},
            "work": WORK,
            "end": SUM_UP,
        },
    )
    context = {"branches": {"decide": ["plain", "analyse"]}, "items": 10, "batch_size": 4}
    task_uuid = engine.run(template, context, within=20)

    workers = {"work_001", "work_002", "work_003"}
    assert step_histories(task_uuid) == dict.fromkeys(
        {"s", "decide", "plain", "analyse", "end", *workers}, RAN_ONCE
    )
    assert set(parents(task_uuid, "end")) == {"plain", *workers}
    assert result(task_uuid, "end") == {"total": 55, "workers": sorted(workers)}
    assert state_of(task_uuid) == "complete"


def test_convergence_of_two_decisions_runs_once_after_both(engine: Cluster):
    template = dynamic(
        "two_decisions",
        "s; ?left < s; ?right < s; a < left; b < right; c < right; +end < a b c",
        steps={"left": AS_TOLD, "right": AS_TOLD},
    )
    both = ticks.start(template, {"branches": {"left": ["a"], "right": ["b", "c"]}}).task_uuid
    one = ticks.start(template, {"branches": {"left": ["a"], "right": []}}).task_uuid
    engine.settles(both, one, within=20)

    assert set(parents(both, "end")) == {"a", "b", "c"}
    assert set(parents(one, "end")) == {"a"}
    for task_uuid in (both, one):
        assert step_histories(task_uuid)["end"] == RAN_ONCE
        assert state_of(task_uuid) == "complete"


# ------------------------------------------------------------ D5 and D6: batches


def test_thousand_rows_are_worked_on_in_five_batches(engine: Cluster):
    task_uuid = engine.run(batch(), {"items": 1000, "batch_size": 200}, within=20)

    workers = [f"work_00{n}" for n in range(1, 6)]
    assert step_histories(task_uuid) == dict.fromkeys(["analyse", *workers, "aggregate"], RAN_ONCE)
    assert result(task_uuid, "aggregate") == {"total": 500_500, "workers": workers}
    assert [result(task_uuid, name)["total"] for name in workers] == [
        20_100,
        60_100,
        100_100,
        140_100,
        180_100,
    ]
    assert state_of(task_uuid) == "complete"


def test_nothing_to_do_runs_a_placeholder_or_nothing_as_the_template_wants(engine: Cluster):
    context = {"items": 0, "batch_size": 200}
    with_placeholder = engine.run(batch(placeholder=True), context)
    without = engine.run(batch(), context)

    assert step_histories(with_placeholder) == dict.fromkeys(
        ["analyse", "work_000", "aggregate"], RAN_ONCE
    )
    assert result(with_placeholder, "aggregate") == {"total": 0, "workers": ["work_000"]}
    assert step(with_placeholder, "work_000").inputs["is_no_op"] is True  # type: ignore[index]
    assert step_histories(without) == {"analyse": RAN_ONCE}
    assert state_of(with_placeholder) == state_of(without) == "complete"


# ------------------------------------------------------------ D7: checkpoints


def test_checkpoints_of_a_batch_cost_no_attempt(engine: Cluster, tmp_path):
    ledger = tmp_path / "ledger"
    context = {"items": 100, "batch_size": 100, "every": 25, "ledger": str(ledger)}
    task_uuid = engine.run(batch(), context)

    worker = step(task_uuid, "work_001")
    assert (worker.attempts, result(task_uuid, "work_001")) == (1, {"total": 5050})
    assert step_histories(task_uuid)["work_001"] == RAN_ONCE
    assert dispatches(ledger, "work_001") == 4
    assert worker.checkpoint is not None
    assert [each["cursor"] for each in worker.checkpoint["history"]] == [25, 50, 75]


def test_next_attempt_goes_on_from_the_last_checkpoint(engine: Cluster, tmp_path):
    ledger = tmp_path / "ledger"
    context = {"items": 100, "batch_size": 100, "every": 20, "fail_at": 50, "ledger": str(ledger)}
    task_uuid = engine.run(batch(), context)

    worker = step(task_uuid, "work_001")
    assert (worker.attempts, result(task_uuid, "work_001")) == (2, {"total": 5050})
    assert dispatches(ledger, "work_001") == 3 + 3  # 0, 20, 40 and again 40, 60, 80
    assert worker.checkpoint is not None
    assert [each["cursor"] for each in worker.checkpoint["history"]] == [20, 40, 60, 80]
    claims = StepTransition.objects.filter(workflow_step=worker, to_state="in_progress")
    assert claims.count() == 2


def test_step_that_is_reset_goes_on_from_its_checkpoint(engine: Cluster, tmp_path):
    ledger, repaired = tmp_path / "ledger", tmp_path / "repaired"
    context = {"items": 100, "batch_size": 100, "every": 20, "fail_at": 50}
    task_uuid = engine.run(batch(), context | {"ledger": str(ledger), "repaired": str(repaired)})
    kept = step(task_uuid, "work_001").checkpoint
    blocked = state_of(task_uuid)

    repaired.touch()
    act.reset_step(step(task_uuid, "work_001").pk, **WITH)
    engine.settles(task_uuid)

    assert kept is not None
    assert (kept["cursor"], kept["accumulated_results"]) == (40, {"total": 820})
    assert blocked == "blocked_by_failures"
    assert result(task_uuid, "work_001") == {"total": 5050}
    assert dispatches(ledger, "work_001") == 3 + 3
    assert result(task_uuid, "aggregate")["total"] == 5050
