"""Whole templates in the test's own thread: order, results, retries, failures, checkpoints."""

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from orchestration.models import Task, WorkflowStep
from orchestration.testing import FAIL_PERMANENT, diamond, fail_times, fan_in, linear, shape, tree
from tests.factories.histories import LINEAR_4, RAN_ONCE, RAN_TWICE, step_histories, task_history
from tests.factories.ticks import assert_invariants
from workers import Checkpoint, RetryableError, StepHandler, depends_on, step_handler
from workers.testing import run_inline

pytestmark = pytest.mark.django_db


def own_groups():
    """Return the groups that handlers of these tests have made, beside those of every database."""
    return Group.objects.exclude(name__startswith="tasker-")


def test_a_chain_runs_to_its_end_and_leaves_the_rows_of_real_processes():
    run = run_inline(linear(4), {"order": 7})

    run.assert_complete()
    assert run.status == "complete"
    assert run.execution_status == "all_complete"
    assert run.virtual_seconds == 0
    assert run.result("step_3") == {"step": "step_3", "saw": ["step_1", "step_2"]}
    assert task_history(run.task_uuid) == LINEAR_4
    assert set(step_histories(run.task_uuid).values()) == {RAN_ONCE}
    assert [hop.to_state for hop in run.transitions][-1] == "complete"
    assert run.task == Task.objects.get(pk=run.task_uuid)
    assert run.task.context == {"order": 7}
    assert_invariants()


def test_steps_run_one_at_a_time_by_depth_and_then_in_the_order_of_the_template():
    graph = {"z": [], "a": [], "late": ["z", "deep"], "deep": ["a"], "join": ["a", "z"]}

    run = run_inline(shape("order", graph))

    assert list(run.steps) == ["z", "a", "deep", "join", "late"]
    assert [tuple(each) for each in run.dispatches] == [(name, 1, 1) for name in run.steps]


@pytest.mark.parametrize("template", [diamond(), tree(3), fan_in(5)])
def test_every_shape_completes_with_each_step_run_once(template):
    run = run_inline(template)

    run.assert_complete()
    assert {step.dispatches for step in run.steps.values()} == {1}
    assert set(run.steps) == set(template.dependencies())


def test_backoff_is_skipped_and_summed_up():
    retry = {"max_attempts": 3, "backoff": "linear", "backoff_base_ms": 60_000}
    steps = {"step_2": {"handler": fail_times(2), "retry": retry}}

    run = run_inline(linear(3, steps=steps))

    run.assert_complete()
    assert run.virtual_seconds == pytest.approx(180, abs=5)
    assert (run.steps["step_2"].attempts, run.steps["step_2"].dispatches) == (3, 3)
    assert [tuple(each) for each in run.dispatches] == [
        ("step_1", 1, 1),
        ("step_2", 1, 1),
        ("step_2", 2, 2),
        ("step_2", 3, 3),
        ("step_3", 1, 1),
    ]


def test_what_is_ready_runs_before_the_clock_jumps_to_a_retry():
    run = run_inline(diamond(steps={"left": {"handler": fail_times(1)}}))

    run.assert_complete()
    assert [each.step for each in run.dispatches] == ["start", "left", "right", "left", "join"]
    histories = step_histories(run.task_uuid)
    assert histories["left"] == RAN_TWICE
    assert task_history(run.task_uuid) == "P I Q S E Q S E:step_failed S E R Q S E Q S E C"


def test_the_delay_that_a_handler_asks_for_is_skipped_too():
    def busy(context):
        if context.attempt == 1:
            raise RetryableError("come back later", retry_after=1800)

    run = run_inline(linear(1), handlers={"test.echo": busy})

    run.assert_complete()
    assert run.virtual_seconds == pytest.approx(1800, abs=5)


def test_a_permanent_failure_blocks_the_task_and_the_rest_stays_pending():
    run = run_inline(linear(3, steps={"step_2": {"handler": FAIL_PERMANENT}}))

    run.assert_blocked("step_2", "permanent_error", error_code="NEVER_WORKS")
    assert run.status == run.execution_status == "blocked_by_failures"
    assert list(run.steps) == ["step_1", "step_2", "step_3"]
    failed, untouched = run.steps["step_2"], run.steps["step_3"]
    assert (failed.state, failed.attempts, failed.result) == ("error", 1, None)
    assert failed.error is not None
    assert failed.error["message"] == "Step 'step_2' never works."
    assert (untouched.state, untouched.dispatches, untouched.result) == ("pending", 0, None)
    assert untouched.error is untouched.execution_result is None


def test_attempts_are_used_up_before_the_task_is_blocked():
    steps = {"step_1": {"handler": fail_times(9), "retry": {"max_attempts": 2}}}

    run = run_inline(linear(1, steps=steps))

    run.assert_blocked("step_1", "retryable_error", error_code="NOT_YET")
    assert run.steps["step_1"].attempts == 2


def test_checkpoints_are_dispatches_of_one_attempt():
    def count(context):
        done = context.checkpoint_cursor or 0
        if context.attempt == 1 and done == 40:
            raise RetryableError("half way")
        if done < 60:
            total = (context.accumulated_results or {}).get("total", 0) + 20
            return Checkpoint(done + 20, done + 20, {"total": total})
        return context.accumulated_results

    @step_handler("test.count")
    def counter(context):
        return count(context)

    run = run_inline(linear(1), handlers={"test.echo": counter})

    run.assert_complete()
    assert run.result("step_1") == {"total": 60}
    step = run.steps["step_1"]
    assert (step.attempts, step.dispatches) == (2, 5)
    assert step.checkpoint is not None
    assert [each["cursor"] for each in step.checkpoint["history"]] == [20, 40, 60]
    assert [tuple(each) for each in run.dispatches] == [
        ("step_1", 1, 1),
        ("step_1", 1, 2),
        ("step_1", 1, 3),
        ("step_1", 2, 4),
        ("step_1", 2, 5),
    ]


def test_an_asynchronous_handler_and_a_timeout_are_as_in_a_worker():
    async def gentle(context):
        return {"awaited": True}

    def endless(context):
        while True:
            pass

    steps = {
        "step_1": {"handler": {"callable": "gentle"}},
        "step_2": {
            "handler": {"callable": "endless"},
            "timeout_seconds": 1,
            "retry": {"max_attempts": 1},
        },
    }
    run = run_inline(linear(2, steps=steps), handlers={"gentle": gentle, "endless": endless})

    assert run.result("step_1") == {"awaited": True}
    run.assert_blocked("step_2", "timeout", error_code="EXECUTION_TIMEOUT")


def test_an_atomic_handler_leaves_nothing_of_a_failed_attempt():
    @step_handler("shop.save", atomic=True)
    def save(context):
        Group.objects.create(name=f"attempt {context.attempt}")
        if context.attempt == 1:
            raise RetryableError("once more")

    run = run_inline(linear(1), handlers={"test.echo": save})

    run.assert_complete()
    assert list(own_groups().values_list("name", flat=True)) == ["attempt 2"]


def test_a_handler_in_autocommit_mode_keeps_what_it_wrote_before_it_failed():
    def save(context):
        Group.objects.create(name=f"attempt {context.attempt}")
        if context.attempt == 1:
            raise RetryableError("once more")

    run_inline(linear(1), handlers={"test.echo": save}).assert_complete()

    assert own_groups().count() == 2


@pytest.mark.parametrize("swallow", [False, True])
def test_a_statement_that_fails_in_a_handler_does_not_end_the_run(swallow):
    Group.objects.create(name="taken")

    def save(context):
        try:
            Group.objects.create(name="taken" if context.attempt == 1 else context.step_name)
        except IntegrityError:
            if not swallow:
                raise
        return {"attempt": context.attempt}

    run = run_inline(linear(2), handlers={"test.echo": save})

    run.assert_complete()
    assert run.result("step_1") == {"attempt": 1 if swallow else 2}
    assert Group.objects.filter(name="taken").count() == 1
    assert_invariants()


def test_a_handler_may_use_transactions_of_its_own():
    def save(context):
        Group.objects.create(name="kept")
        with pytest.raises(IntegrityError), transaction.atomic():
            Group.objects.create(name="kept")
        return {"groups": own_groups().count()}

    run = run_inline(linear(1), handlers={"test.echo": save})

    assert run.result("step_1") == {"groups": 1}


def test_a_step_that_the_handler_itself_calls_off_is_not_reported():
    def cancel(context):
        from orchestration.client import cancel_task

        cancel_task(context.task_uuid, actor="the handler")

    run = run_inline(linear(2), handlers={"test.echo": cancel})

    assert run.status == "cancelled"
    assert {step.state for step in run.steps.values()} == {"cancelled"}


def test_replacing_handlers_takes_every_form_of_one():
    @step_handler("other.name")
    @depends_on(before="step_1")
    def decorated(before):
        return {"saw": before["form"]}

    class Plain(StepHandler):
        def call(self, context):
            return {"form": "class"}

        def other(self, context):
            return {"form": "method"}

    steps = {
        "step_1": {"handler": {"callable": "a", "method": "other"}},
        "step_2": {"handler": {"callable": "b"}},
        "step_3": {"handler": {"callable": "c", "method": "whatever"}},
        "step_4": {"handler": {"callable": "d"}},
    }
    run = run_inline(
        linear(4, steps=steps),
        handlers={"a": Plain, "b": decorated, "c": lambda context: {"form": "f"}, "d": Plain()},
    )

    run.assert_complete()
    assert [step.result for step in run.steps.values()] == [
        {"form": "method"},
        {"saw": "method"},
        {"form": "f"},
        {"form": "class"},
    ]
    assert WorkflowStep.objects.filter(state="complete").count() == 4
