"""Batches, engine.md 10.3 and 10.4: instances, placeholder, convergence, refusals, operators."""

from typing import Any

import pytest

from orchestration.errors import InvalidRequestError
from orchestration.lifecycle import operator_actions as act
from orchestration.lifecycle import outcome_processor
from orchestration.models import Task, WorkflowStep
from orchestration.queries.outcomes import find_gates
from tests.factories import ticks
from tests.factories.dynamic import (
    NO_BATCHES,
    NO_BRANCHES,
    batched,
    dynamic,
    names,
    parents,
    route,
    split,
)
from tests.factories.histories import RAN_ONCE, step_histories, task_history

pytestmark = pytest.mark.django_db
WITH: dict[str, Any] = {"actor": "ops", "reason": "because"}


def analysed(template, result):
    """Run the first step of a task with a result."""
    created = ticks.start(template)
    ticks.run_step(result)
    return created.task_uuid


def step_of(task_uuid, name):
    return WorkflowStep.objects.get(task_id=task_uuid, name=name)


def state_of(task_uuid):
    return Task.objects.get(pk=task_uuid).state


# ------------------------------------------------------------ instances


def test_task_begins_with_the_analyser_alone():
    assert names(ticks.start(batched()).task_uuid) == {"analyse"}


def test_every_cursor_becomes_an_instance_and_the_convergence_waits_for_all():
    task_uuid = analysed(batched(), split("001", "002", "003"))
    ticks.run_to_the_end()

    workers = {"work_001", "work_002", "work_003"}
    assert names(task_uuid) == {"analyse", *workers, "aggregate"}
    assert parents(task_uuid, "work_002") == {"analyse": "batch_dependency"}
    assert parents(task_uuid, "aggregate") == dict.fromkeys(workers, "worker_to_convergence")
    assert set(step_histories(task_uuid).values()) == {RAN_ONCE}
    assert state_of(task_uuid) == "complete"


def test_instance_has_its_cursor_on_top_of_the_initialization_of_its_worker():
    said = {
        "handler": {"callable": "test.echo", "initialization": {"k": 1, "cursor": "mine"}},
        "batch_config": {"cursor_field": "row", "failure_strategy": "fail_fast"},
        "retry": {"max_attempts": 5},
        "timeout_seconds": 7,
    }
    task_uuid = analysed(batched(steps={"work": said}), split("a", 2))

    second = step_of(task_uuid, "work_2")

    assert second.inputs == {
        "k": 1,
        "cursor": {"batch_id": "2", "start_cursor": 10, "end_cursor": 20, "batch_size": 10},
        "batch_metadata": {
            "cursor_field": "row",
            "failure_strategy": "fail_fast",
            "batch_index": 1,
            "total_batches": 2,
        },
        "is_no_op": False,
        "__template_step_name": "work",
    }
    assert (second.batch_id, second.batch_index, second.batch_count) == ("2", 1, 2)
    assert (second.step_type, second.max_attempts, second.timeout_seconds) == ("batch_worker", 5, 7)
    assert second.origin_step_id == step_of(task_uuid, "analyse").pk
    assert second.named_step_id == step_of(task_uuid, "work_a").named_step_id


def test_worker_reads_the_template_step_of_an_instance():
    analysed(batched(), split("001"))

    (claimed,) = ticks.claim()

    assert (claimed.name, claimed.template_step_name) == ("work_001", "work")
    assert (claimed.batch_id, claimed.batch_index, claimed.batch_count) == ("001", 0, 1)


def test_convergence_sees_the_results_of_every_instance():
    analysed(batched(), split("001", "002"))
    ticks.report(*map(ticks.success, ticks.claim()))
    ticks.process()

    (aggregate,) = ticks.claim()

    assert set(aggregate.dependency_results) == {"analyse", "work_001", "work_002"}


@pytest.mark.parametrize("cursor", [{"after": "ü"}, ["2026-01-01", None], 1.5, None, "x"])
def test_cursors_may_be_any_json(cursor):
    said = {"batch_id": "1", "start_cursor": cursor, "end_cursor": cursor, "mine": [cursor]}
    task_uuid = analysed(batched(), split(cursor_configs=[said]))

    assert step_of(task_uuid, "work_1").inputs["cursor"] == said


def test_number_of_cursors_counts_when_worker_count_says_otherwise(caplog):
    task_uuid = analysed(batched(), split("1", "2", worker_count=9))

    assert names(task_uuid) == {"analyse", "work_1", "work_2", "aggregate"}
    (record,) = [r for r in caplog.records if r.getMessage() == "batch.count_differs"]
    assert (record.said, record.count) == (9, 2)


def test_failed_instance_blocks_the_task_and_the_convergence_waits():
    task_uuid = analysed(batched(), split("1", "2"))
    first, second = ticks.claim()
    ticks.report(ticks.success(first), ticks.failure(second, retryable=False))
    ticks.process()
    blocked = state_of(task_uuid), step_of(task_uuid, "aggregate").state

    act.reset_step(step_of(task_uuid, "work_2").pk, **WITH)
    ticks.run_to_the_end()

    assert blocked == ("blocked_by_failures", "pending")
    assert state_of(task_uuid) == "complete"


def test_thousands_of_batches_are_created_at_once(settings):
    settings.TASKER = {**settings.TASKER, "max_batches_per_step": 1500}
    task_uuid = analysed(batched(), split(*range(1500)))

    assert WorkflowStep.objects.filter(task_id=task_uuid).count() == 1502
    assert len(parents(task_uuid, "aggregate")) == 1500
    assert WorkflowStep.objects.filter(task_id=task_uuid, state="enqueued").count() == 500


# ------------------------------------------------------------ no batches


@pytest.mark.parametrize("result", [NO_BATCHES, split()], ids=["no_batches", "empty list"])
def test_placeholder_keeps_the_aggregation_going_where_the_template_wants_it(result):
    task_uuid = analysed(batched(placeholder=True), result)
    ticks.run_to_the_end()

    assert names(task_uuid) == {"analyse", "work_000", "aggregate"}
    placeholder = step_of(task_uuid, "work_000")
    assert placeholder.inputs["is_no_op"] is True
    assert placeholder.inputs["cursor"] == {
        "batch_id": "000",
        "start_cursor": 0,
        "end_cursor": 0,
        "batch_size": 0,
    }
    assert parents(task_uuid, "work_000") == {"analyse": "batch_dependency"}
    assert set(step_histories(task_uuid).values()) == {RAN_ONCE}
    assert state_of(task_uuid) == "complete"


def test_task_completes_with_the_analyser_when_no_placeholder_is_wanted(caplog):
    task_uuid = analysed(batched(), NO_BATCHES)

    assert names(task_uuid) == {"analyse"}
    assert task_history(task_uuid) == "P I Q S E C"
    assert [r.levelname for r in caplog.records if r.getMessage() == "batch.skipped"] == ["WARNING"]


def two_analysers(**rest):
    return dynamic("pair", "s; *b < s; *c < s; #work < b c; +end < work", **rest)


def test_two_analysers_share_one_placeholder():
    config = {"handler": {"callable": "x", "initialization": {"worker_template_name": "work"}}}
    created = ticks.start(two_analysers(steps={"b": config, "c": config}))
    ticks.run_step()
    ticks.report(*(ticks.success(each, NO_BATCHES) for each in ticks.claim()))
    ticks.process()
    ticks.run_to_the_end()

    assert names(created.task_uuid) == {"s", "b", "c", "work_000", "end"}
    assert state_of(created.task_uuid) == "complete"


# ------------------------------------------------------------ batches and decisions


def test_convergence_waits_for_both_analysers_of_a_worker():
    created = ticks.start(two_analysers())
    ticks.run_step()
    first, second = ticks.claim()
    ticks.report(ticks.success(first, split("b1")))
    ticks.process()
    between = names(created.task_uuid)
    ticks.report(ticks.success(second, split("c1")))
    ticks.process()
    ticks.run_to_the_end()

    assert between == {"s", "b", "c", "work_b1"}
    assert set(parents(created.task_uuid, "end")) == {"work_b1", "work_c1"}
    assert state_of(created.task_uuid) == "complete"


def inside():
    """Return a decision, in one of its branches an analyser, and one convergence of all."""
    graph = "s; ?d < s; plain < d; *b < d; #work < b; +end < plain work"
    return dynamic("inside", graph)


def test_batches_inside_a_branch_hold_the_convergence_back():
    created = ticks.start(inside())
    ticks.run_step()
    ticks.run_step(route("plain", "b"))
    analyser, plain = ticks.claim()
    ticks.report(ticks.success(plain))
    ticks.process()
    before = names(created.task_uuid)
    ticks.report(ticks.success(analyser, split("1", "2")))
    ticks.process()
    ticks.run_to_the_end()

    assert before == {"s", "d", "plain", "b"}
    assert parents(created.task_uuid, "end") == {
        "plain": "provides",
        "work_1": "worker_to_convergence",
        "work_2": "worker_to_convergence",
    }
    assert state_of(created.task_uuid) == "complete"


def test_branch_without_batches_does_not_wait_for_them():
    created = ticks.start(inside())
    ticks.run_step()
    ticks.run_step(route("plain"))
    ticks.run_to_the_end()

    assert names(created.task_uuid) == {"s", "d", "plain", "end"}
    assert state_of(created.task_uuid) == "complete"


def test_decision_behind_batches_comes_with_them():
    template = dynamic("t", "*b; #work < b; +sum < work; ?d < sum; x < d; +end < sum x")
    created = ticks.start(template)
    ticks.run_step(split("1"))
    ticks.run_step()
    ticks.run_step()
    between = names(created.task_uuid)
    ticks.run_step(NO_BRANCHES)
    ticks.run_to_the_end()

    assert between == {"b", "work_1", "sum", "d"}
    assert names(created.task_uuid) == between | {"end"}
    assert state_of(created.task_uuid) == "complete"


# ------------------------------------------------------------ refusals

LONG = "x" * 65


@pytest.mark.parametrize(
    ("result", "code", "quoted"),
    [
        ({}, "BATCH_OUTCOME_MISSING", "batch_processing_outcome"),
        ("text", "BATCH_OUTCOME_MISSING", "batch_processing_outcome"),
        ({"batch_processing_outcome": {"type": "some"}}, "BATCH_OUTCOME_MISSING", "'some'"),
        (split(cursor_configs={}), "BATCH_OUTCOME_MISSING", "cursor_configs"),
        (split(cursor_configs=[1]), "BATCH_OUTCOME_MISSING", "cursor_configs"),
        (split("1", worker="nobody"), "BATCH_TEMPLATE_UNKNOWN", "'nobody'"),
        (split("1", worker="aggregate"), "BATCH_TEMPLATE_UNKNOWN", "'aggregate'"),
        (split("1", worker_template_name=None), "BATCH_TEMPLATE_UNKNOWN", "None"),
        (split("1", worker_template_name=["work"]), "BATCH_TEMPLATE_UNKNOWN", "['work']"),
        (split(""), "BATCH_ID_INVALID", "''"),
        (split(LONG), "BATCH_ID_INVALID", LONG),
        (split(True), "BATCH_ID_INVALID", "True"),
        (split(["1"]), "BATCH_ID_INVALID", "['1']"),
        (split(cursor_configs=[{"start_cursor": 1}]), "BATCH_ID_INVALID", "None"),
        (split("1", "2", "1"), "BATCH_ID_DUPLICATE", "'1'"),
        (split("1", 1), "BATCH_ID_DUPLICATE", "'1'"),
        (split("log"), "BATCH_ID_DUPLICATE", "'work_log'"),
    ],
)
def test_invalid_outcome_fails_the_analyser_for_good_and_creates_nothing(result, code, quoted):
    template = dynamic("t", "*analyse; #work < analyse; +aggregate < work; work_log < aggregate")
    task_uuid = analysed(template, result)

    step = step_of(task_uuid, "analyse")
    assert step.results is not None
    error = step.results["error"]
    assert (step.state, error["error_type"], error["error_code"]) == ("error", "batch_error", code)
    assert quoted in error["message"]
    assert step.results["result"] == (result or {})
    assert names(task_uuid) == {"analyse"}
    assert task_history(task_uuid) == "P I Q S E:step_failed B"


def test_worker_that_does_not_stand_behind_the_analyser_is_refused():
    template = dynamic("t", "s; *b < s; #work < b; *c < s; #other < c; +end < work other")
    created = ticks.start(template)
    ticks.run_step()
    first, _ = ticks.claim()
    ticks.report(ticks.success(first, split("1", worker="other")))
    ticks.process()

    step = step_of(created.task_uuid, "b")
    assert step.results is not None
    assert step.results["error"]["error_code"] == "BATCH_TEMPLATE_UNKNOWN"


def test_batch_that_bears_the_name_of_another_analysers_batch_is_refused():
    created = ticks.start(two_analysers())
    ticks.run_step()
    ticks.report(*(ticks.success(each, split("1")) for each in ticks.claim()))
    ticks.process()

    step = step_of(created.task_uuid, "c")
    assert step.results is not None
    assert step.results["error"]["error_code"] == "BATCH_ID_DUPLICATE"
    assert "'work_1'" in step.results["error"]["message"]
    assert names(created.task_uuid) == {"s", "b", "c", "work_1"}


@pytest.mark.parametrize(
    ("setting", "allowed"), [("max_batches_per_step", 2), ("max_steps_per_task", 4)]
)
def test_too_many_batches_are_refused(settings, setting, allowed):
    settings.TASKER = {**settings.TASKER, setting: allowed}
    task_uuid = analysed(batched(), split("1", "2", "3"))

    step = step_of(task_uuid, "analyse")
    assert step.results is not None
    assert step.results["error"]["error_code"] == "BATCH_LIMIT"
    assert setting in step.results["error"]["message"]
    assert names(task_uuid) == {"analyse"}


def test_placeholder_of_an_unknown_worker_is_refused():
    config = {"handler": {"callable": "x", "initialization": {"worker_template_name": "nobody"}}}
    task_uuid = analysed(batched(steps={"analyse": config}), NO_BATCHES)

    step = step_of(task_uuid, "analyse")
    assert step.results is not None
    assert step.results["error"]["error_code"] == "BATCH_TEMPLATE_UNKNOWN"


# ------------------------------------------------------------ by hand


def test_analyser_completed_by_hand_creates_its_batches():
    task_uuid = analysed(batched(), {})

    act.complete_step(step_of(task_uuid, "analyse").pk, result=split("1"), **WITH)
    ticks.run_to_the_end()

    assert names(task_uuid) == {"analyse", "work_1", "aggregate"}
    assert state_of(task_uuid) == "complete"


def test_nothing_changes_when_batches_supplied_by_hand_are_invalid():
    created = ticks.start(two_analysers())
    ticks.run_step()
    first, second = ticks.claim()
    ticks.report(ticks.success(first, split("1")))
    ticks.process()
    before = step_histories(created.task_uuid), task_history(created.task_uuid)

    with pytest.raises(InvalidRequestError, match="BATCH_ID_DUPLICATE"):
        act.complete_step(second.workflow_step_uuid, result=split("2", "1"), **WITH)

    assert (step_histories(created.task_uuid), task_history(created.task_uuid)) == before


def test_resolved_analyser_wants_no_batches_and_no_placeholder():
    task_uuid = analysed(batched(placeholder=True), {})

    acted = act.resolve_step(step_of(task_uuid, "analyse").pk, **WITH)

    assert acted.state == "complete"
    assert names(task_uuid) == {"analyse"}


def test_analyser_that_is_reset_analyses_again():
    task_uuid = analysed(batched(), {})

    act.reset_step(step_of(task_uuid, "analyse").pk, **WITH)
    ticks.run_step(split("1"))
    ticks.run_to_the_end()

    assert state_of(task_uuid) == "complete"


def test_bypassed_analyser_wants_no_batches():
    created = ticks.start(batched(placeholder=True), bypass_steps=["analyse"])

    assert created.state == "complete"
    assert names(created.task_uuid) == {"analyse"}


def test_analyser_with_batches_is_not_heard_again():
    task_uuid = analysed(batched(), split("1"))
    ticks.run_to_the_end()
    analyser = step_of(task_uuid, "analyse").pk

    assert outcome_processor.carry_out(find_gates([analyser])[analyser], split("2")) == 0
    assert names(task_uuid) == {"analyse", "work_1", "aggregate"}
