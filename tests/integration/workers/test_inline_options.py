"""What a run can be told, and what it refuses."""

from pathlib import Path

import pytest

from orchestration.conf import engine_settings
from orchestration.errors import InvalidRequestError
from orchestration.messaging import pgmq
from orchestration.messaging.messages import worker_queue
from orchestration.models import Task, WorkflowStep
from orchestration.testing import FAIL_PERMANENT, diamond, fail_times, linear, shape
from templates_registry import registry
from templates_registry.errors import TemplateError, TemplateNotFound
from templates_registry.models import NamedTask
from tests.factories.histories import step_histories, task_history
from workers.testing import InlineRunError, WorkerLost, run_inline

pytestmark = pytest.mark.django_db

TEXT = """
name: brew
namespace_name: tea
version: 1.0.0
steps:
  - {name: boil, handler: test.echo}
  - {name: pour, handler: test.echo, dependencies: [boil]}
environments:
  test: {steps: [{name: ALL, handler: {initialization: {cups: 1}}}]}
  production: {steps: [{name: ALL, handler: {initialization: {cups: 9}}}]}
"""


def cups(context):
    return {"cups": context.get_config("cups")}


def kill_at(*numbers):
    """Return an `on_dispatch` that kills the worker at these dispatches of a step."""

    def on_dispatch(step, attempt, number):
        if number in numbers:
            raise WorkerLost

    return on_dispatch


# ------------------------------------------------------------ the template


def test_a_template_may_be_a_text_a_path_or_a_name(tmp_path):
    path = tmp_path / "brew.yaml"
    path.write_text(TEXT)

    runs = [run_inline(TEXT), run_inline(path), run_inline(str(path)), run_inline("tea/brew")]

    assert {run.status for run in runs} == {"complete"}
    assert len({run.task.named_task_id for run in runs}) == 1


def test_a_name_means_the_latest_version_and_with_a_version_that_one():
    for version in ("1.9.0", "1.10.0"):
        registry.register(registry.load_text(TEXT.replace("1.0.0", version)))

    assert run_inline("tea/brew").task.named_task.version == "1.10.0"
    assert run_inline("tea/brew:1.9.0").task.named_task.version == "1.9.0"


def test_a_name_that_is_not_registered_means_the_template_files(settings, tmp_path):
    for version in ("1.9.0", "1.10.0"):
        (tmp_path / f"brew_{version}.yaml").write_text(TEXT.replace("1.0.0", version))
    settings.TASKER = {**settings.TASKER, "template_paths": (str(tmp_path),)}

    assert run_inline("tea/brew").task.named_task.version == "1.10.0"
    assert run_inline("tea/brew:1.9.0").task.named_task.version == "1.9.0"
    with pytest.raises(TemplateNotFound, match=r"tea/brew@2\.0\.0"):
        run_inline("tea/brew:2.0.0")


def test_a_changed_template_is_registered_anew_and_an_unchanged_one_is_left_alone():
    first = run_inline(TEXT)
    again = run_inline(TEXT)
    changed = run_inline(TEXT.replace("cups: 1", "cups: 2"), handlers={"test.echo": cups})

    assert first.task.template_revision_id == again.task.template_revision_id
    assert first.task.template_revision_id != changed.task.template_revision_id
    assert changed.result("boil") == {"cups": 2}


def test_overrides_are_those_of_the_environment_that_is_named():
    test = run_inline(TEXT, handlers={"test.echo": cups})
    production = run_inline(TEXT, handlers={"test.echo": cups}, environment="production")
    by_name = run_inline("tea/brew", handlers={"test.echo": cups}, environment="production")
    none = run_inline(TEXT, handlers={"test.echo": cups}, environment="nowhere")

    assert test.result("pour") == {"cups": 1}
    assert production.result("pour") == by_name.result("pour") == {"cups": 9}
    assert none.result("pour") == {"cups": None}
    assert NamedTask.objects.get(name="brew").configuration["environments"]


@pytest.mark.parametrize("strategy", ["strict", "caller_provided"])
def test_every_run_is_a_task_of_its_own_whatever_the_identity_strategy(strategy):
    template = linear(1, identity_strategy=strategy)

    first, second = run_inline(template, {"a": 1}), run_inline(template, {"a": 1})

    assert first.task_uuid != second.task_uuid


# ------------------------------------------------------------ options


def test_without_retry_a_failure_is_left_waiting():
    run = run_inline(diamond(steps={"left": {"handler": fail_times(1)}}), retry=False)

    assert run.status == "waiting_for_retry"
    assert run.steps["left"].state == "waiting_for_retry"
    assert run.steps["right"].state == "complete"
    assert run.virtual_seconds == 0


def test_on_dispatch_is_told_of_every_dispatch():
    told = []

    run = run_inline(
        linear(2, steps={"step_1": {"handler": fail_times(1)}}),
        on_dispatch=lambda *dispatch: told.append(dispatch),
    )

    assert told == [("step_1", 1, 1), ("step_1", 2, 2), ("step_2", 1, 1)] == run.dispatches


def test_a_lost_worker_costs_an_attempt_and_the_step_runs_again():
    run = run_inline(linear(2), on_dispatch=kill_at(1))

    run.assert_complete()
    assert [step.attempts for step in run.steps.values()] == [2, 2]
    assert run.virtual_seconds == pytest.approx(2 * engine_settings().lease_seconds, abs=0.1)
    lost_once = "pending enqueued in_progress enqueued:worker_lost in_progress efo complete"
    assert set(step_histories(run.task_uuid).values()) == {lost_once}
    assert task_history(run.task_uuid) == "P I Q S E Q S E C"


def test_a_step_that_must_not_run_again_fails_with_its_worker():
    steps = {"step_1": {"retry": {"max_attempts": 1}}}

    run = run_inline(linear(2, steps=steps), on_dispatch=kill_at(1))

    run.assert_blocked("step_1", "worker_lost")
    assert run.steps["step_2"].state == "pending"


def test_what_else_on_dispatch_raises_ends_the_run_and_nothing_is_left():
    with pytest.raises(ZeroDivisionError):
        run_inline(linear(2), on_dispatch=lambda *dispatch: 1 / 0)

    assert not Task.objects.exists()


def test_a_run_that_does_not_end_is_stopped():
    endless = shape("endless", {"a": []}, steps={"a": {"retry": {"max_attempts": 100}}})

    with pytest.raises(InlineRunError, match="max_dispatches=5; the last ones were of a, a, a"):
        run_inline(endless, on_dispatch=kill_at(*range(1, 100)), max_dispatches=5)
    assert not Task.objects.exists()


def test_a_retry_that_somebody_else_has_ruled_out_ends_the_run():
    def rule_out(step, attempt, number):
        if step == "right":
            WorkflowStep.objects.filter(name="left").update(retryable=False)

    template = diamond(steps={"left": {"handler": fail_times(1)}})

    run = run_inline(template, on_dispatch=rule_out)

    assert run.status == "blocked_by_failures"
    assert run.steps["left"].state == "waiting_for_retry"


# ------------------------------------------------------------ refusals


def test_a_message_that_is_gone_is_named():
    def purge(step, attempt, number):
        if step == "left":
            for message in pgmq.read(worker_queue("test"), limit=10, visibility_seconds=0):
                pgmq.delete(worker_queue("test"), message.msg_id)

    with pytest.raises(InlineRunError, match=r"Step 'right' of test/diamond@1\.0\.0 is enqueued"):
        run_inline(diamond(), on_dispatch=purge)


def test_a_handler_for_a_callable_that_no_step_calls_is_refused():
    with pytest.raises(InlineRunError, match=r"names test\.eko, .*they call test\.echo"):
        run_inline(linear(1), handlers={"test.eko": cups})


def test_what_cannot_be_a_handler_is_refused():
    with pytest.raises(TypeError, match=r"handlers\['test.echo'\] is 5"):
        run_inline(linear(1), handlers={"test.echo": 5})


def test_a_context_that_the_template_refuses_is_refused():
    template = linear(
        1, validate_input=True, input_schema={"type": "object", "required": ["order"]}
    )

    with pytest.raises(InvalidRequestError, match="context"):
        run_inline(template, {"ordre": 7})


def test_a_template_with_errors_is_refused_with_its_findings(tmp_path: Path):
    with pytest.raises(TemplateError, match="MISSING_DEP_REF"):
        run_inline(TEXT.replace("[boil]", "[broil]"))
    with pytest.raises(TemplateError, match="cannot be read"):
        run_inline(tmp_path / "none.yaml")
    with pytest.raises(InlineRunError, match="CYCLE_DETECTED"):
        run_inline(shape("cycle", {"a": ["b"], "b": ["a"]}))


def test_a_changed_template_is_refused_where_the_policy_says_so(settings):
    run_inline(TEXT)
    settings.TASKER = {**settings.TASKER, "template_change_policy": "reject"}

    with pytest.raises(InlineRunError, match="new version"):
        run_inline(TEXT.replace("cups: 1", "cups: 2"))


def test_an_unknown_name_is_refused():
    with pytest.raises(TemplateNotFound, match="tea/none"):
        run_inline("tea/none")


def test_a_handler_that_does_not_resolve_fails_its_step_as_in_a_worker():
    run = run_inline(linear(1, steps={"step_1": {"handler": {"callable": "tea.none"}}}))

    run.assert_blocked("step_1", "handler_not_found")


# ------------------------------------------------------------ assertions


def test_asserting_says_what_became_of_every_step():
    run = run_inline(linear(2, steps={"step_2": {"handler": FAIL_PERMANENT}}))

    with pytest.raises(AssertionError, match="not complete but blocked_by_failures") as caught:
        run.assert_complete()
    assert "step_1: complete, attempts 1" in str(caught.value)
    assert "step_2: error, attempts 1, permanent_error: Step 'step_2' never works." in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [
        (("step_1",), {}),
        (("step_2", "timeout"), {}),
        (("step_2",), {"error_code": "OTHER"}),
    ],
)
def test_asserting_a_block_holds_step_type_and_code_against_the_run(arguments, keywords):
    run = run_inline(linear(2, steps={"step_2": {"handler": FAIL_PERMANENT}}))

    with pytest.raises(AssertionError, match="not blocked by"):
        run.assert_blocked(*arguments, **keywords)
    with pytest.raises(AssertionError, match="not blocked by"):
        run_inline(linear(2)).assert_blocked("step_2")


def test_asking_for_a_step_that_is_not_there_names_those_that_are():
    run = run_inline(linear(1))

    with pytest.raises(AssertionError, match="no step 'step_9'"):
        run.result("step_9")
