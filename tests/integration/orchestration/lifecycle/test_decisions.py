"""Decisions, engine.md 10.2 and 10.4: branches, convergences, refusals, operators."""

from typing import Any

import pytest

from orchestration.errors import InvalidRequestError
from orchestration.lifecycle import operator_actions as act
from orchestration.models import StepTransition, Task, WorkflowStep
from orchestration.queries.template_names import template_name
from orchestration.testing import shape
from templates_registry import registry
from tests.factories import ticks
from tests.factories.dynamic import NO_BRANCHES, approval, dynamic, names, parents, route
from tests.factories.histories import RAN_ONCE, states, step_histories, task_history

pytestmark = pytest.mark.django_db
WITH: dict[str, Any] = {"actor": "ops", "reason": "because"}


def decided(template, result, **request):
    """Run the first step and the decision of a task with a result."""
    created = ticks.start(template, **request)
    ticks.run_step()
    ticks.run_step(result)
    return created.task_uuid


def failure_of(task_uuid, name="decide"):
    """Return the state of a failed step, its code and its message."""
    step = WorkflowStep.objects.get(task_id=task_uuid, name=name)
    assert step.results is not None
    return step.state, step.results["error"]["error_code"], step.results["error"]["message"]


# ------------------------------------------------------------ branches


def test_task_begins_without_what_a_decision_may_create():
    created = ticks.start(approval())

    assert names(created.task_uuid) == {"validate", "decide"}


@pytest.mark.parametrize("branches", [["small"], ["medium"], ["medium", "large"]])
def test_named_branches_run_and_the_convergence_after_them(branches):
    task_uuid = decided(approval(), route(*branches))
    ticks.run_to_the_end()

    assert names(task_uuid) == {"validate", "decide", *branches, "finish"}
    assert parents(task_uuid, "finish") == dict.fromkeys(branches, "provides")
    assert parents(task_uuid, branches[0]) == {"decide": "provides"}
    assert set(step_histories(task_uuid).values()) == {RAN_ONCE}
    assert Task.objects.get(pk=task_uuid).state == "complete"


def test_branches_are_enqueued_in_the_transaction_that_completes_the_decision():
    task_uuid = decided(approval(), route("medium", "large"))

    assert task_history(task_uuid) == "P I Q S E Q S E Q S"
    assert states(task_uuid) == {
        "validate": "complete",
        "decide": "complete",
        "medium": "enqueued",
        "large": "enqueued",
        "finish": "pending",
    }


def test_created_step_takes_its_columns_from_the_template_and_knows_its_origin():
    said = {
        "handler": {"callable": "test.echo", "initialization": {"k": [1]}},
        "retry": {"max_attempts": 7, "backoff": "linear", "backoff_base_ms": 20},
        "timeout_seconds": 9,
        "system_dependency": "till",
    }
    task_uuid = decided(approval(steps={"small": said}), route("small"))

    step = WorkflowStep.objects.select_related("named_step__dependent_system", "origin_step").get(
        task_id=task_uuid, name="small"
    )

    assert step.origin_step is not None
    assert step.origin_step.name == "decide"
    assert (step.named_step.name, step.named_step.dependent_system.name) == ("small", "till")
    assert (step.max_attempts, step.backoff_strategy, step.backoff_base_ms) == (7, "linear", 20)
    assert (step.timeout_seconds, step.inputs, step.step_type) == (9, {"k": [1]}, "standard")
    first = StepTransition.objects.get(workflow_step=step, sort_key=1)
    assert (first.event, first.actor) == ("created", f"system:{ticks.ORCHESTRATOR}")


def test_branch_sees_the_results_of_the_decision_and_of_what_was_before_it():
    decided(approval(), route("small"))

    (branch,) = ticks.claim()

    assert set(branch.dependency_results) == {"validate", "decide"}


@pytest.mark.parametrize("result", [NO_BRANCHES, route()], ids=["no_branches", "empty list"])
def test_task_completes_with_what_ran_when_no_branch_is_taken(result):
    task_uuid = decided(approval(), result)

    assert names(task_uuid) == {"validate", "decide"}
    assert task_history(task_uuid) == "P I Q S E Q S E C"


def test_same_name_twice_is_one_step():
    task_uuid = decided(approval(), route("small", "small"))

    assert names(task_uuid) == {"validate", "decide", "small", "finish"}


def test_branches_come_from_the_revision_that_the_task_was_created_with():
    created = ticks.start(approval())
    ticks.run_step()
    registry.register(shape("approval", {"validate": [], "other": ["validate"]}))

    ticks.run_step(route("small"))
    ticks.run_to_the_end()

    assert states(created.task_uuid) == dict.fromkeys(
        ["validate", "decide", "small", "finish"], "complete"
    )


def test_plain_results_cost_no_further_statement(django_assert_num_queries):
    created = ticks.start(shape("pair", {"a": [], "b": []}))
    ticks.report(*map(ticks.success, ticks.claim()))
    template_name(Task.objects.get(pk=created.task_uuid).named_task_id)  # asked once per template

    with django_assert_num_queries(4):  # take, settle, contexts, move
        ticks.process()


# ------------------------------------------------------------ several decisions


def nested():
    """Return an outer decision, in one of its branches an inner one, and their convergence."""
    graph = "first; ?outer < first; plain < outer; deep < outer; ?inner < deep; x < inner;"
    return dynamic("nested", f"{graph} y < inner; +end < plain deep x y")


def test_convergence_waits_until_the_nested_decision_has_spoken():
    task_uuid = decided(nested(), route("plain", "deep"))
    ticks.report(*map(ticks.success, ticks.claim()))  # deep, plain
    ticks.process()
    before = names(task_uuid)
    ticks.run_step(route("y"))
    ticks.run_to_the_end()

    assert before == {"first", "outer", "plain", "deep", "inner"}
    assert names(task_uuid) == before | {"y", "end"}
    assert set(parents(task_uuid, "end")) == {"plain", "deep", "y"}
    assert Task.objects.get(pk=task_uuid).state == "complete"


def test_convergence_comes_without_the_branches_of_a_nested_decision_that_takes_none():
    task_uuid = decided(nested(), route("deep"))
    ticks.run_step()
    ticks.run_step(NO_BRANCHES)
    ticks.run_to_the_end()

    assert names(task_uuid) == {"first", "outer", "deep", "inner", "end"}
    assert set(parents(task_uuid, "end")) == {"deep"}
    assert Task.objects.get(pk=task_uuid).state == "complete"


def two():
    return dynamic("two", "s; ?d < s; ?e < s; a < d; b < e; +end < a b")


ONE_EACH = {"d": route("a"), "e": route("b")}


@pytest.mark.parametrize("order", ["de", "ed"])
@pytest.mark.parametrize(
    "outcomes", [ONE_EACH, ONE_EACH | {"e": NO_BRANCHES}], ids=["both", "only one"]
)
def test_convergence_of_two_decisions_comes_with_the_last_of_them(order, outcomes):
    created = ticks.start(two())
    ticks.run_step()
    claimed = {each.name: each for each in ticks.claim()}
    for name in order:
        assert "end" not in names(created.task_uuid)
        ticks.report(ticks.success(claimed[name], outcomes[name]))
        ticks.process()

    expected = {"a", "b"} if outcomes is ONE_EACH else {"a"}
    assert set(parents(created.task_uuid, "end")) == expected
    ticks.run_to_the_end()
    assert Task.objects.get(pk=created.task_uuid).state == "complete"


def test_two_decisions_in_one_batch_are_heard_one_after_the_other():
    created = ticks.start(two())
    ticks.run_step()
    ticks.report(*(ticks.success(each, ONE_EACH[each.name]) for each in ticks.claim()))

    assert ticks.process() == 2

    assert set(parents(created.task_uuid, "end")) == {"a", "b"}
    assert task_history(created.task_uuid) == "P I Q S E Q S E Q S"


def test_good_decision_goes_on_beside_a_bad_one_in_the_same_batch():
    created = ticks.start(two())
    ticks.run_step()
    said = {"d": route("nowhere"), "e": route("b")}
    ticks.report(*(ticks.success(each, said[each.name]) for each in ticks.claim()))
    ticks.process()
    ticks.run_to_the_end()

    assert states(created.task_uuid) == {
        "s": "complete",
        "d": "error",
        "e": "complete",
        "b": "complete",
    }
    assert Task.objects.get(pk=created.task_uuid).state == "blocked_by_failures"


def test_two_decisions_may_name_the_same_step():
    template = dynamic("same", "s; ?d < s; ?e < s; a < d e")
    created = ticks.start(template)
    ticks.run_step()
    for each in ticks.claim():
        ticks.report(ticks.success(each, route("a")))
        ticks.process()
    ticks.run_to_the_end()

    assert set(parents(created.task_uuid, "a")) == {"d", "e"}
    assert step_histories(created.task_uuid)["a"] == RAN_ONCE


# ------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("result", "code", "quoted"),
    [
        ({}, "DECISION_OUTCOME_MISSING", "decision_point_outcome"),
        (["x"], "DECISION_OUTCOME_MISSING", "decision_point_outcome"),
        ({"decision_point_outcome": "small"}, "DECISION_OUTCOME_MISSING", "decision_point_outcome"),
        ({"decision_point_outcome": {"type": "maybe"}}, "DECISION_OUTCOME_MISSING", "'maybe'"),
        (
            {"decision_point_outcome": {"type": "create_steps", "step_names": "small"}},
            "DECISION_OUTCOME_MISSING",
            "'small'",
        ),
        (route("small", 7), "DECISION_OUTCOME_MISSING", "7"),
        (route("small", "huge"), "INVALID_DESCENDANT", "'huge'"),
        (route("validate"), "INVALID_DESCENDANT", "'validate'"),
        (route("decide"), "INVALID_DESCENDANT", "'decide'"),
        (route("finish"), "INVALID_DESCENDANT", "deferred_convergence"),
    ],
)
def test_invalid_outcome_fails_the_step_for_good_and_creates_nothing(result, code, quoted):
    task_uuid = decided(approval(), result)

    state, found, message = failure_of(task_uuid)
    assert (state, found) == ("error", code)
    assert quoted in message
    assert "'decide'" in message
    assert names(task_uuid) == {"validate", "decide"}
    assert task_history(task_uuid) == "P I Q S E Q S E:step_failed B"
    assert step_histories(task_uuid)["decide"] == "pending enqueued in_progress efo error:fail"


def test_refused_outcome_keeps_what_the_handler_returned():
    said = route("huge") | {"why": "big"}
    task_uuid = decided(approval(), said)

    results = WorkflowStep.objects.get(task_id=task_uuid, name="decide").results
    assert results is not None

    assert results["result"] == said
    assert (results["success"], results["status"]) == (False, "error")
    assert results["metadata"]["error_code"] == "INVALID_DESCENDANT"
    assert results["error"]["error_type"] == results["metadata"]["error_type"] == "decision_error"
    assert results["error"]["retryable"] is results["metadata"]["retryable"] is False


def test_batch_worker_cannot_be_named():
    template = dynamic("t", "s; ?decide < s; *b < decide; #w < b")
    task_uuid = decided(template, route("b", "w"))

    assert failure_of(task_uuid)[:2] == ("error", "INVALID_DESCENDANT")


def test_too_many_names_are_refused(settings):
    settings.TASKER = {**settings.TASKER, "max_steps_per_decision": 2}
    task_uuid = decided(approval(), route("small", "medium", "large"))

    state, code, message = failure_of(task_uuid)
    assert (state, code) == ("error", "DECISION_LIMIT")
    assert "3 steps" in message
    assert "max_steps_per_decision" in message


def test_decisions_that_create_each_other_too_deeply_are_refused(settings):
    settings.TASKER = {**settings.TASKER, "max_decision_depth": 1}
    task_uuid = decided(nested(), route("deep"))
    ticks.run_step()
    ticks.run_step(route("x"))

    state, code, message = failure_of(task_uuid, "inner")
    assert (state, code) == ("error", "DECISION_LIMIT")
    assert "max_decision_depth" in message


def test_deep_decision_that_wants_nothing_is_within_the_limit(settings):
    settings.TASKER = {**settings.TASKER, "max_decision_depth": 1}
    task_uuid = decided(nested(), route("deep"))
    ticks.run_step()
    ticks.run_step(NO_BRANCHES)
    ticks.run_to_the_end()

    assert Task.objects.get(pk=task_uuid).state == "complete"


@pytest.mark.parametrize(("allowed", "state"), [(5, "complete"), (4, "error")])
def test_task_cannot_grow_beyond_its_limit(settings, allowed, state):
    created = ticks.start(approval())
    settings.TASKER = {**settings.TASKER, "max_steps_per_task": allowed}
    ticks.run_step()
    ticks.run_step(route("small", "large"))

    assert states(created.task_uuid)["decide"] == state
    if state == "error":
        _, code, message = failure_of(created.task_uuid)
        assert code == "DECISION_LIMIT"
        assert "5 steps" in message
        assert "max_steps_per_task" in message


# ------------------------------------------------------------ by hand


def blocked_decision():
    return decided(approval(), route("huge"))


def step_of(task_uuid, name="decide"):
    return WorkflowStep.objects.get(task_id=task_uuid, name=name).pk


def test_decision_that_is_reset_decides_again():
    task_uuid = blocked_decision()

    act.reset_step(step_of(task_uuid), **WITH)
    ticks.run_step(route("small"))
    ticks.run_to_the_end()

    assert names(task_uuid) == {"validate", "decide", "small", "finish"}
    assert Task.objects.get(pk=task_uuid).state == "complete"


def test_decision_completed_by_hand_creates_what_the_result_names():
    task_uuid = blocked_decision()

    acted = act.complete_step(step_of(task_uuid), result=route("small"), **WITH)
    ticks.run_to_the_end()

    assert acted.state == "steps_in_process"
    assert states(task_uuid) == dict.fromkeys(["validate", "decide", "small", "finish"], "complete")
    created = StepTransition.objects.get(workflow_step__name="small", sort_key=1)
    assert (created.actor, created.metadata["reason"]) == ("ops", "because")


@pytest.mark.parametrize("result", [{}, route("huge"), None])
def test_nothing_changes_when_a_result_supplied_by_hand_is_invalid(result):
    task_uuid = blocked_decision()
    before = states(task_uuid), task_history(task_uuid), step_histories(task_uuid)

    with pytest.raises(InvalidRequestError, match="Cannot complete step 'decide'") as refusal:
        act.complete_step(step_of(task_uuid), result=result, **WITH)

    assert [problem.path for problem in refusal.value.problems] == ["completion_data.result"]
    assert (states(task_uuid), task_history(task_uuid), step_histories(task_uuid)) == before


def test_resolved_decision_takes_no_branch():
    task_uuid = blocked_decision()

    acted = act.resolve_step(step_of(task_uuid), **WITH)

    assert acted.state == "complete"
    assert names(task_uuid) == {"validate", "decide"}


def test_convergence_comes_when_the_last_decision_is_resolved():
    created = ticks.start(two())
    ticks.run_step()
    (first, _) = ticks.claim()
    ticks.report(ticks.success(first, route("a")))
    ticks.process()
    before = names(created.task_uuid)

    act.resolve_step(step_of(created.task_uuid, "e"), **WITH)
    ticks.run_to_the_end()

    assert names(created.task_uuid) == before | {"end"}
    assert set(parents(created.task_uuid, "end")) == {"a"}
    assert Task.objects.get(pk=created.task_uuid).state == "complete"


def test_decision_that_was_carried_out_adds_nothing_when_it_is_resolved_later():
    task_uuid = decided(approval(), route("small"))

    act.resolve_step(step_of(task_uuid), **WITH)

    assert names(task_uuid) == {"validate", "decide", "small", "finish"}


def test_bypassed_decision_takes_no_branch():
    created = ticks.start(two(), bypass_steps=["d"])
    ticks.run_step()
    ticks.run_step(route("b"))
    ticks.run_to_the_end()

    assert names(created.task_uuid) == {"s", "d", "e", "b", "end"}
    assert Task.objects.get(pk=created.task_uuid).state == "complete"
