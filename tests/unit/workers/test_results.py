"""What returned values and exceptions mean, and the result model itself."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from workers import errors
from workers.errors import runtime
from workers.results import (
    ErrorType,
    ResultStatus,
    StepError,
    StepExecutionResult,
    StepHandlerCallResult,
    StepHandlerResult,
    failure_from_exception,
    to_result,
)


def test_success_is_a_constructor_on_the_class_and_a_bool_on_an_instance():
    result = StepHandlerResult.success({"a": 1}, {"m": 2})

    assert result.success is True
    assert StepHandlerResult.failure("no").success is False
    assert (result.result, result.metadata) == ({"a": 1}, {"m": 2})
    assert result.is_success_result()
    assert not result.is_failure_result()


def test_result_is_read_and_written_as_success_in_json():
    assert StepHandlerResult.model_validate_json('{"success": true}').is_success
    assert StepHandlerResult.model_validate({"is_success": False}).model_dump(mode="json") == {
        "success": False,
        "result": None,
        "error_message": None,
        "error_type": None,
        "error_code": None,
        "retryable": True,
        "metadata": {},
    }


def test_failure_takes_its_defaults():
    result = StepHandlerResult.failure("no")

    assert (result.error_type, result.retryable, result.error_code) == ("handler_error", True, None)


@pytest.mark.parametrize("text", [each.value for each in ErrorType])
def test_standard_error_types_are_known(text):
    assert ErrorType.is_standard(text)
    assert ErrorType.is_typically_retryable(text) is (text in ("retryable_error", "timeout"))


def test_other_error_types_are_legal_but_not_standard():
    assert not ErrorType.is_standard("odd")
    assert StepHandlerResult.failure("no", "odd").error_type == "odd"


class Model(BaseModel):
    when: int = 1


@dataclass
class Fields:
    a: int
    b: Model


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ({"a": 1}, {"a": 1}),
        ({"success": False}, {"success": False}),
        ({1: "x"}, {1: "x"}),
        (None, {}),
        (Model(), {"when": 1}),
        (Fields(1, Model()), {"a": 1, "b": Model()}),
        (5, {"result": 5}),
        ([1], {"result": [1]}),
        (Model, {"result": Model}),
        (Fields, {"result": Fields}),
    ],
)
def test_a_returned_value_is_a_success(value, result):
    found = to_result(value)

    assert found.success is True
    assert found.result == result


def test_a_returned_result_is_taken_as_it_is():
    result = StepHandlerResult.failure("no")

    assert to_result(result) is result


class TypedError(Exception):
    retryable = False
    error_type = "odd"
    error_code = "ODD"


class UntypedError(Exception):
    retryable = False


class TextFlagError(Exception):
    retryable = "yes"


@pytest.mark.parametrize(
    ("error", "functional", "error_type", "retryable", "code"),
    [
        (errors.PermanentError("x", error_code="C"), True, "permanent_error", False, "C"),
        (errors.ValidationError("x"), False, "permanent_error", False, None),
        (errors.RetryableError("x", error_code="C"), False, "retryable_error", True, "C"),
        (errors.TimeoutError(), True, "retryable_error", True, None),
        (errors.TaskerError("x", retryable=False), False, "handler_error", False, None),
        (errors.FFIError("x"), False, "handler_error", True, None),
        (runtime.ConversionError("x"), False, "handler_error", True, None),
        (errors.StepExecutionError("x", "own", False), True, "own", False, None),
        (TypedError("x"), False, "odd", False, "ODD"),
        (UntypedError("x"), True, "handler_error", False, None),
        (UntypedError("x"), False, "UntypedError", False, None),
        (TextFlagError("x"), False, "TextFlagError", True, None),
        (ValueError("x"), True, "handler_error", True, None),
        (ValueError("x"), False, "ValueError", True, None),
        (SystemExit(3), False, "handler_error", True, None),
        (KeyboardInterrupt(), True, "handler_error", True, None),
    ],
)
def test_an_exception_means_a_failure(error, functional, error_type, retryable, code):
    result = failure_from_exception(error, is_functional=functional)

    assert (result.success, result.error_type, result.retryable, result.error_code) == (
        False,
        error_type,
        retryable,
        code,
    )
    assert result.metadata["exception_type"] == type(error).__name__


def test_metadata_of_a_tasker_error_is_kept_without_traceback():
    result = failure_from_exception(
        errors.RetryableError("x", retry_after=3, context={"k": 1}), is_functional=True
    )

    assert result.metadata == {"retry_after": 3, "k": 1, "exception_type": "RetryableError"}


def test_a_foreign_exception_brings_the_end_of_its_traceback():
    try:
        raise ValueError("é" * 20_000)
    except ValueError as error:
        result = failure_from_exception(error, is_functional=True)

    assert len(result.metadata["traceback"].encode()) <= 16 * 1024
    assert result.error_message == "é" * 20_000


@pytest.mark.parametrize(
    ("error", "retryable"),
    [(ValueError("x"), False), (OSError("x"), True), (RuntimeError("x"), True)],
)
def test_the_classifier_judges_foreign_exceptions_when_the_policy_says_so(error, retryable):
    result = failure_from_exception(error, is_functional=True, policy="classifier")

    assert result.retryable is retryable


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def test_an_exception_that_cannot_tell_its_text_is_named():
    result = failure_from_exception(MuteError(), is_functional=True)

    assert result.error_message == "MuteError"
    assert "MuteError" in result.metadata["traceback"]


def test_an_exception_without_text_is_named():
    assert failure_from_exception(ValueError(), is_functional=True).error_message == "ValueError"


def test_published_reports_take_their_status_from_the_error():
    ids: dict[str, Any] = {"step_uuid": uuid4(), "task_uuid": uuid4()}

    def failed(retryable):
        error = StepError(error_type="x", message="y", retryable=retryable)
        return StepExecutionResult.failure_result(error=error, **ids)

    assert failed(True).status == ResultStatus.RETRYABLE_ERROR
    assert failed(False).status == ResultStatus.PERMANENT_ERROR
    good = StepExecutionResult.success_result(result={"a": 1}, execution_time_ms=5, **ids)
    assert (good.status, good.success, good.execution_time_ms) == ("completed", True, 5)
    assert StepHandlerCallResult(success=True).result == {}
