"""One handler at a time, as a worker would call and understand it."""

import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from workers import (
    Batchable,
    Checkpoint,
    Decision,
    PermanentError,
    RetryableError,
    StepHandler,
    batch_worker,
    decision_handler,
    depends_on,
    inputs,
    step_handler,
)
from workers.registry import MethodNotFoundError, ResolutionError
from workers.testing import (
    InlineRunError,
    make_batch_context,
    make_context,
    run_handler,
    run_until_done,
)


@step_handler("tea.pour")
@depends_on(water="boil")
@inputs("cups")
def pour(water, cups):
    return {"cups": cups, "celsius": water["celsius"]}


@step_handler("tea.steep")
async def steep(context):
    return {"minutes": context.get_config("minutes")}


class Brew(StepHandler):
    handler_name = "tea.brew"

    def call(self, context):
        return self.success({"attempt": context.attempt})

    def rinse(self, context):
        return {"rinsed": True}


class Configured(StepHandler):
    def __init__(self, config):
        self.config = config

    def call(self, context):
        return dict(self.config)


@batch_worker("tea.count")
def count(context, batch_context):
    """Count to the end of the batch, ten at a time."""
    done = batch_context.checkpoint_cursor or batch_context.start_cursor
    if done + 10 < batch_context.end_cursor:
        return Checkpoint(done + 10, done + 10, {"last": done + 10})
    return {"before": batch_context.accumulated_results, "end": batch_context.end_cursor}


def raising(error):
    def handler(context):
        raise error

    return handler


def test_a_decorated_function_is_run_with_what_it_asks_for():
    result = run_handler(pour, inputs={"cups": 2}, dependencies={"boil": {"celsius": 95}})

    assert result.success
    assert result.result == {"cups": 2, "celsius": 95}


@pytest.mark.parametrize("handler", [Brew, Brew()])
def test_a_class_and_an_instance_are_run(handler):
    assert run_handler(handler, attempt=2).result == {"attempt": 2}


def test_another_method_is_run_when_it_is_named():
    assert run_handler(Brew, method="rinse").result == {"rinsed": True}
    with pytest.raises(MethodNotFoundError, match="no method 'scald'"):
        run_handler(Brew, method="scald")


def test_a_class_that_wants_its_configuration_gets_it():
    assert run_handler(Configured, config={"minutes": 3}).result == {"minutes": 3}


def test_an_asynchronous_handler_is_awaited():
    assert run_handler(steep, config={"minutes": 3}).result == {"minutes": 3}


def test_a_registered_name_is_looked_up(isolated_registry):
    isolated_registry.register("tea.brew", Brew)

    assert run_handler("tea.brew").result == {"attempt": 1}
    assert run_handler("test.echo", step="a").result == {"step": "a", "saw": []}
    with pytest.raises(ResolutionError, match=r"tea\.nothing"):
        run_handler("tea.nothing")


def test_a_context_may_be_given_instead_of_its_parts():
    context = make_context(attempt=3)

    assert run_handler(Brew, context).result == {"attempt": 3}
    with pytest.raises(TypeError, match="a context or attempt"):
        run_handler(Brew, context, attempt=2)


def test_what_is_no_handler_is_refused():
    with pytest.raises(TypeError, match="is 5"):
        run_handler(5)


def test_a_result_is_what_dependants_would_see():
    result = run_handler(
        lambda context: {
            "at": datetime(2026, 1, 2, tzinfo=UTC),
            "price": Decimal("1.50"),
            1: float("nan"),
        }
    )

    assert result.result == {"at": "2026-01-02T00:00:00Z", "price": "1.50", "1": None}
    assert run_handler(lambda context: [1]).result == {"result": [1]}
    assert run_handler(lambda context: None).result == {}


def test_a_result_that_cannot_be_stored_is_a_failure(settings):
    settings.TASKER = {**settings.TASKER, "max_result_bytes": 2000}

    unknown = run_handler(lambda context: {"thing": object()})
    large = run_handler(lambda context: {"text": "x" * 3000})

    assert (unknown.success, unknown.error_type, unknown.error_code) == (
        False,
        "result_not_serializable",
        "FFI_SERIALIZATION_ERROR",
    )
    assert (large.error_code, large.retryable) == ("RESULT_TOO_LARGE", False)


@pytest.mark.parametrize(
    ("error", "error_type", "retryable", "code"),
    [
        (PermanentError("no", error_code="NO"), "permanent_error", False, "NO"),
        (RetryableError("later", retry_after=3), "retryable_error", True, None),
        (KeyError("k"), "handler_error", True, None),
        (SystemExit(3), "handler_error", True, None),
    ],
)
def test_what_a_handler_raises_becomes_a_failure(error, error_type, retryable, code):
    result = run_handler(raising(error))

    assert (result.success, result.error_type, result.retryable) == (False, error_type, retryable)
    assert result.error_code == code
    assert result.metadata["exception_type"] == type(error).__name__


def test_a_class_names_the_type_of_a_foreign_exception():
    class Divider(StepHandler):
        def call(self, context):
            return 1 / 0

    assert run_handler(Divider).error_type == "ZeroDivisionError"


def test_a_handler_that_outstays_its_timeout_is_interrupted():
    def sleepy(context):
        for _ in range(1000):
            time.sleep(0.01)

    context = make_context()
    context.timeout_seconds = 1
    result = run_handler(sleepy, context)

    assert (result.error_type, result.error_code) == ("timeout", "EXECUTION_TIMEOUT")
    assert result.metadata["timeout_seconds"] == 1
    assert context.cancelled


def test_a_decision_shows_its_outcome():
    @decision_handler("tea.decide")
    def decide(context):
        return Decision.route(["black"])

    result = run_handler(decide).result or {}
    assert result["decision_point_outcome"] == {"type": "create_steps", "step_names": ["black"]}


def test_one_call_of_a_handler_that_yields_returns_the_checkpoint():
    result = run_handler(count, make_batch_context(0, 25))

    assert result.metadata["checkpoint_yield"] is True
    assert result.result == {
        "type": "checkpoint_yield",
        "cursor": 10,
        "items_processed": 10,
        "accumulated_results": {"last": 10},
    }


def test_run_until_done_follows_checkpoints():
    results = run_until_done(count, make_batch_context(0, 25))

    assert [(each.result or {}).get("cursor") for each in results] == [10, 20, None]
    assert results[-1].result == {"before": {"last": 20}, "end": 25}


def test_run_until_done_goes_on_from_a_checkpoint_that_is_given():
    checkpoint = {"cursor": 20, "items_processed": 20, "accumulated_results": {"last": 20}}

    assert len(run_until_done(count, make_batch_context(0, 25, checkpoint=checkpoint))) == 1


def test_run_until_done_ends_with_a_failure():
    def fails_later(context):
        if context.has_checkpoint():
            raise PermanentError("no")
        return self_yield(context)

    def self_yield(context):
        return Batchable().checkpoint_yield(1, 1)

    assert [each.success for each in run_until_done(fails_later)] == [True, False]


def test_a_checkpoint_that_cannot_be_stored_is_a_retryable_failure(settings):
    settings.TASKER = {**settings.TASKER, "max_checkpoint_bytes": 1024}

    def hoard(context):
        return Batchable().checkpoint_yield(1, 1, {"all": "x" * 2000})

    (result,) = run_until_done(hoard)

    assert (result.error_type, result.retryable) == ("checkpoint_write_failed", True)


def test_a_handler_that_yields_for_ever_is_stopped():
    with pytest.raises(InlineRunError, match="max_dispatches=3"):
        run_until_done(lambda context: Batchable().checkpoint_yield(1, 1), max_dispatches=3)
