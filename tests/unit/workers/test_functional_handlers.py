"""Decorated functions: what they receive, what they may return, what their class looks like."""

import asyncio
import inspect
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, Field, field_validator
from typing_extensions import TypeAliasType

from workers import (
    BatchConfig,
    BatchWorkerContext,
    Checkpoint,
    Decision,
    PermanentError,
    RetryableError,
    StepContext,
    StepHandler,
    batch_analyzer,
    batch_worker,
    decision_handler,
    depends_on,
    inputs,
    step_handler,
)


def run(function: Any, **context) -> Any:
    found: Any = function._handler_class().call(StepContext(**context))
    return asyncio.run(found) if inspect.iscoroutine(found) else found


def handler_class_of(function: Any) -> Any:
    return function._handler_class


# --- the class


def test_the_function_stays_callable_and_gains_a_handler_class():
    @step_handler("shop.pay", version="2.1.0")
    def pay(amount):
        """Pay it."""
        return amount + 1

    assert pay(1) == 2
    assert pay.__doc__ == "Pay it."
    made = handler_class_of(pay)
    assert issubclass(made, StepHandler)
    assert (made.handler_name, made.handler_version, made.atomic) == ("shop.pay", "2.1.0", False)
    assert (made.__name__, made.__qualname__, made.__doc__) == (
        "pay",
        pay.__qualname__,
        "Pay it.",
    )
    assert (made().name, made().version, made().capabilities) == ("shop.pay", "2.1.0", ["process"])
    assert made().config_schema() is None


@pytest.mark.parametrize("decorate", [step_handler, decision_handler, batch_worker])
def test_an_asynchronous_function_cannot_be_atomic(decorate):
    async def function():
        return None

    with pytest.raises(TypeError, match=r"'?shop.f'? is asynchronous and atomic|shop.f"):
        decorate("shop.f", atomic=True)(function)


def test_an_asynchronous_class_cannot_be_atomic():
    with pytest.raises(TypeError, match="asynchronous and atomic"):

        class Bad(StepHandler):
            atomic = True

            async def call(self, context):
                return None


def test_a_class_without_a_name_is_called_like_its_class():
    class Pay(StepHandler):
        def call(self, context):
            return self.success({"a": 1}, {"m": 1})

    handler = Pay()

    assert handler.name == "Pay"
    assert handler.call(StepContext()).metadata == {"m": 1}
    failure = handler.failure("no", "odd", False, {"m": 1}, "C")
    assert (failure.error_type, failure.retryable, failure.error_code) == ("odd", False, "C")


def test_an_asynchronous_function_has_an_asynchronous_call():
    @step_handler("shop.f")
    @inputs("a")
    async def function(a):
        await asyncio.sleep(0)
        return {"a": a}

    assert inspect.iscoroutinefunction(handler_class_of(function).call)
    assert run(function, input_data={"a": 1}).result == {"a": 1}


@pytest.mark.parametrize("is_async", [True, False])
def test_call_turns_exceptions_into_results_and_run_lets_them_through(is_async):
    def body():
        raise RetryableError("busy", error_code="BUSY")

    async def async_body():
        body()

    function = step_handler("shop.f")(async_body if is_async else body)

    assert run(function).error_code == "BUSY"
    handler = handler_class_of(function)()
    with pytest.raises(RetryableError):
        asyncio.run(handler.run(StepContext())) if is_async else handler.run(StepContext())


# --- injection

DEPENDENCIES = {
    "one": {"success": True, "result": {"n": 1}},
    "text": {"success": True, "result": "word"},
}


class Number(BaseModel):
    n: int


@pytest.mark.parametrize("order", ["inside", "outside", "both"])
def test_depends_on_may_stand_on_either_side(order):
    def function(a=None, b=None):
        return {"a": a, "b": b}

    if order != "outside":
        function = depends_on(a="one")(function)
    function = step_handler("shop.f")(function)
    if order != "inside":
        function = depends_on(b="text")(function)

    found = run(function, dependency_results=DEPENDENCIES).result

    assert found["a"] == (None if order == "outside" else {"n": 1})
    assert found["b"] == (None if order == "inside" else "word")


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        ("one", {"n": 1}),
        ("absent", None),
        (("one", Number), Number(n=1)),
        (("absent", Number), None),
        (("text", Number), "word"),
    ],
)
def test_depends_on_passes_the_unwrapped_result(wanted, value):
    seen = []

    @step_handler("shop.f")
    @depends_on(found=wanted)
    def function(found):
        seen.append(found)

    run(function, dependency_results=DEPENDENCIES)

    assert seen == [value]


@pytest.mark.parametrize("name", ["context", "_context"])
def test_the_context_is_passed_when_the_signature_has_it(name):
    namespace: dict[str, Any] = {}
    exec(f"def function({name}): return {{'step': {name}.step_name}}", namespace)  # noqa: S102

    assert run(step_handler("f")(namespace["function"]), step_name="s").result == {"step": "s"}


def test_the_context_is_not_passed_otherwise():
    @step_handler("shop.f")
    def function(**everything):
        return {"got": sorted(everything)}

    assert run(function).result == {"got": []}


def test_inputs_are_passed_by_key_and_add_up():
    @inputs("c")
    @step_handler("shop.f")
    @inputs("a", "b")
    def function(a, b, c):
        return {"a": a, "b": b, "c": c}

    assert run(function, input_data={"a": 1, "c": 3}).result == {"a": 1, "b": None, "c": 3}


MaybeNumber = TypeAliasType("MaybeNumber", int | None)


class Order(BaseModel):
    amount: int
    note: str | None = "unused"
    currency: str = "EUR"
    anything: Any = 5
    maybe: Optional[int] = 6  # noqa: UP045 - this spelling must work too
    level: Annotated[int, Field(ge=0)] = 7
    mode: Literal["a", None] = "a"
    aliased: MaybeNumber = 8
    nested: Union[Annotated[int | None, Field(ge=0)], str] = 9  # noqa: UP007 - as above
    customer_id: str = Field(alias="customerId")
    region: str = Field("eu", validation_alias=AliasChoices("Region", AliasPath("x", 0)))


def test_a_model_is_filled_field_by_field():
    seen = []

    @step_handler("shop.f")
    @inputs(Order)
    def function(inputs):
        seen.append(inputs)

    run(function, input_data={"amount": 5, "customerId": "c", "Region": "us", "unknown": 1})

    (order,) = seen
    assert (order.amount, order.customer_id, order.region) == (5, "c", "us")
    assert (order.note, order.anything, order.maybe, order.mode) == (None, None, None, None)
    assert (order.aliased, order.nested) == (None, None)
    assert (order.currency, order.level) == ("EUR", 7)


class Part(BaseModel):
    class_: str = Field(alias="class")


class Whole(BaseModel):
    part: Part


class Crossed(BaseModel):
    first: int = Field(alias="second")
    second: int
    third: int = Field(validation_alias=AliasPath("second", 0), default=3)


def test_models_inside_the_input_are_filled_by_their_aliases():
    @step_handler("shop.f")
    @inputs(Whole)
    def f(inputs):
        return {"class": inputs.part.class_}

    assert run(f, input_data={"part": {"class": "A"}}).result == {"class": "A"}


def test_an_alias_does_not_take_the_value_of_the_field_of_that_name():
    @step_handler("shop.f")
    @inputs(Crossed)
    def f(inputs):
        return {"first": inputs.first, "second": inputs.second, "third": inputs.third}

    found = run(f, input_data={"first": 1, "second": 2, "third": 3})

    assert found.result == {"first": 1, "second": 2, "third": 3}


def test_a_field_name_comes_before_its_alias():
    @step_handler("shop.f")
    @inputs(Order)
    def function(inputs):
        return {"id": inputs.customer_id}

    data = {"amount": 1, "customerId": "alias", "customer_id": "name"}

    assert run(function, input_data=data).result == {"id": "name"}


def test_a_model_wins_over_keys_when_both_are_stacked():
    @step_handler("shop.f")
    @inputs(Number)
    @inputs("n", "other")
    def function(**given):
        return {"got": sorted(given)}

    assert run(function, input_data={"n": 1}).result == {"got": ["inputs"]}


def test_keys_and_a_model_in_one_inputs_are_refused():
    with pytest.raises(TypeError, match="stack two"):
        inputs("n", Number)


@pytest.mark.parametrize("is_async", [True, False])
def test_inputs_that_do_not_fit_fail_for_good(is_async):
    def body(inputs):
        raise AssertionError("must not be called")

    async def async_body(inputs):
        raise AssertionError("must not be called")

    function = step_handler("f")(inputs(Number)(async_body if is_async else body))

    result = run(function, input_data={"n": "x"})

    assert (result.error_type, result.error_code, result.retryable) == (
        "validation_error",
        "INPUT_VALIDATION_FAILED",
        False,
    )
    assert result.metadata["errors"][0]["loc"] == ["n"]


def test_a_result_that_does_not_fit_fails_for_good():
    @step_handler("shop.f")
    @depends_on(found=("one", Order))
    def function(found):
        raise AssertionError("must not be called")

    result = run(function, dependency_results=DEPENDENCIES)

    assert result.error_code == "DEPENDENCY_VALIDATION_FAILED"
    assert "one" in result.error_message


class Picky(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def refuse(cls, value):
        raise PermanentError("not today", error_code="PICKY")


def test_other_exceptions_of_a_validator_go_through():
    @step_handler("shop.f")
    @inputs(Picky)
    def function(inputs):
        raise AssertionError("must not be called")

    result = run(function, input_data={"n": 1})

    assert (result.error_type, result.error_code) == ("permanent_error", "PICKY")


# --- decisions, batches, checkpoints: the wire format


@pytest.mark.parametrize(
    ("decision", "result"),
    [
        (
            Decision.route(["a", "b"], amount=5),
            {
                "decision_point_outcome": {"type": "create_steps", "step_names": ["a", "b"]},
                "routing_context": {"amount": 5},
            },
        ),
        (
            Decision.route("a"),
            {"decision_point_outcome": {"type": "create_steps", "step_names": ["a"]}},
        ),
        (
            Decision.skip("too small", amount=5),
            {
                "decision_point_outcome": {"type": "no_branches"},
                "reason": "too small",
                "routing_context": {"amount": 5},
            },
        ),
    ],
)
def test_a_decision_becomes_its_wire_format(decision, result):
    @decision_handler("shop.route", "3.0.0")
    def route():
        return decision

    found = run(route)

    assert found.result == result
    assert found.metadata == {"decision_handler": "shop.route", "decision_version": "3.0.0"}


def test_a_decision_handler_may_return_anything_else():
    @decision_handler("shop.route")
    def route():
        return {"a": 1}

    assert run(route).result == {"a": 1}


def test_a_batch_configuration_becomes_half_open_ranges():
    @batch_analyzer("shop.analyse", worker_template="work")
    def analyse():
        return BatchConfig(total_items=5, batch_size=2, metadata={"file": "x"})

    found = run(analyse)

    outcome = found.result["batch_processing_outcome"]
    assert (outcome["type"], outcome["worker_template_name"]) == ("create_batches", "work")
    assert (outcome["worker_count"], outcome["total_items"]) == (3, 5)
    assert outcome["cursor_configs"] == [
        {"batch_id": "001", "start_cursor": 0, "end_cursor": 2, "batch_size": 2},
        {"batch_id": "002", "start_cursor": 2, "end_cursor": 4, "batch_size": 2},
        {"batch_id": "003", "start_cursor": 4, "end_cursor": 5, "batch_size": 1},
    ]
    assert found.result["batch_metadata"] == {"file": "x"}
    assert found.metadata == {"batch_analyzer": "shop.analyse"}


def test_batch_metadata_is_left_out_when_there_is_none():
    analyse = batch_analyzer("shop.analyse", "work")(lambda: BatchConfig(1, 1))

    assert "batch_metadata" not in run(analyse).result


def test_no_items_are_no_batches():
    @batch_analyzer("shop.analyse", "work")
    def analyse():
        return BatchConfig(0, 10)

    found = run(analyse)

    assert found.result == {
        "batch_processing_outcome": {"type": "no_batches"},
        "reason": "empty_dataset",
    }
    assert found.metadata == {"batch_analyzer": "shop.analyse", "no_batches": True}


def test_a_batch_size_below_one_is_an_error():
    @batch_analyzer("shop.analyse", "work")
    def analyse():
        return BatchConfig(5, 0)

    assert run(analyse).metadata["exception_type"] == "ValueError"


def test_an_analyser_may_return_anything_else():
    @batch_analyzer("shop.analyse", "work")
    def analyse():
        return None

    assert run(analyse).result == {}


CURSOR = {"batch_id": "002", "start_cursor": 10, "end_cursor": 20, "batch_size": 5}


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, None),
        (
            {"step_inputs": {"cursor": CURSOR, "batch_metadata": {"batch_index": 1}}},
            ("002", 10, 20, 5, 1, 1),
        ),
        (
            {
                "step_config": {
                    "batch_context": {
                        "batch_id": 7,
                        "cursor_config": {"start_cursor": "a", "end_cursor": "f", "step_size": 2},
                        "batch_index": 3,
                        "total_batches": 4,
                    }
                }
            },
            ("7", "a", "f", 2, 3, 4),
        ),
        (
            {"input_data": {"batch_context": {"batch_id": "1", "cursor_config": {}}}},
            ("1", None, None, 1, 0, 1),
        ),
    ],
)
def test_a_batch_worker_always_gets_its_batch_context(context, expected):
    seen: list[BatchWorkerContext | None] = []

    @batch_worker("shop.work")
    def work(batch_context):
        seen.append(batch_context)

    run(work, checkpoint={"cursor": 12, "items_processed": 2, "accumulated_results": 1}, **context)

    (batch,) = seen
    if expected is None:
        assert batch is None
        return
    assert batch is not None
    assert (
        batch.batch_id,
        batch.start_cursor,
        batch.end_cursor,
        batch.step_size,
        batch.batch_index,
        batch.total_batches,
    ) == expected
    assert (batch.checkpoint_cursor, batch.checkpoint_items_processed) == (12, 2)
    assert batch.accumulated_results == 1
    assert batch.has_checkpoint()


@pytest.mark.parametrize(
    "decorate",
    [
        step_handler("f"),
        decision_handler("f"),
        batch_analyzer("f", "w"),
    ],
)
def test_any_decorated_function_may_yield_a_checkpoint(decorate):
    found = run(decorate(lambda: Checkpoint("c", 5, {"sum": 1})))

    assert found.success
    assert found.result == {
        "type": "checkpoint_yield",
        "cursor": "c",
        "items_processed": 5,
        "accumulated_results": {"sum": 1},
    }
    assert found.metadata == {"checkpoint_yield": True}


def test_a_checkpoint_without_results_leaves_them_out():
    assert "accumulated_results" not in run(step_handler("f")(lambda: Checkpoint(1, 5))).result
