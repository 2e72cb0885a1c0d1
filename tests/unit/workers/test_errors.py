"""Handler errors: class decides about retrying; metadata travels; the classifier judges others."""

import builtins

import pytest

import workers
from workers import errors
from workers.errors import ErrorClassifier, runtime

RETRYABLE = [
    errors.RetryableError,
    errors.TimeoutError,
    errors.NetworkError,
    errors.RateLimitError,
    errors.ServiceUnavailableError,
    errors.ResourceContentionError,
]
PERMANENT = [
    errors.PermanentError,
    errors.ValidationError,
    errors.NotFoundError,
    errors.AuthenticationError,
    errors.AuthorizationError,
    errors.ConfigurationError,
    errors.BusinessLogicError,
]


@pytest.mark.parametrize("kind", RETRYABLE)
def test_retryable_classes_say_so(kind):
    assert kind("no").retryable is True
    assert issubclass(kind, errors.RetryableError)


@pytest.mark.parametrize("kind", PERMANENT)
def test_permanent_classes_say_so(kind):
    assert kind("no").retryable is False
    assert issubclass(kind, errors.PermanentError)


def test_own_flag_of_an_ffi_error_is_kept():
    assert errors.FFIError("no").retryable is True
    assert errors.FFIError("no", retryable=False).retryable is False
    assert issubclass(errors.FFIError, runtime.FFIError)


def test_metadata_is_copied_and_completed():
    given = {"a": 1}

    error = errors.RetryableError(
        message="busy", metadata=given, error_code="BUSY", retry_after=30, context={"k": "v"}
    )

    assert given == {"a": 1}
    assert error.metadata == {"a": 1, "error_code": "BUSY", "retry_after": 30, "k": "v"}
    assert (error.message, error.error_code, error.retry_after) == ("busy", "BUSY", 30)
    assert error.context == {"k": "v"}


def test_an_error_tells_itself_as_json_values():
    assert errors.NotFoundError("gone", error_code="X").to_dict() == {
        "error_type": "NotFoundError",
        "message": "gone",
        "retryable": False,
        "metadata": {"error_code": "X"},
    }


def test_timeout_error_alone_is_built_without_a_message():
    assert str(errors.TimeoutError()) != ""
    assert workers.StepTimeoutError is errors.TimeoutError
    with pytest.raises(TypeError):
        errors.NetworkError()  # type: ignore[call-arg]


def test_exported_tasker_error_is_the_plain_parent_of_the_handlers_one():
    assert workers.TaskerError is runtime.TaskerError
    assert issubclass(errors.TaskerError, workers.TaskerError)


def test_step_execution_error_carries_its_own_type_and_flag():
    error = errors.StepExecutionError("no", "odd", False)

    assert (error.error_type, error.retryable, str(error)) == ("odd", False, "no")


class FlaggedError(ValueError):
    retryable = True


@pytest.mark.parametrize(
    ("error", "retryable", "rule"),
    [
        (FlaggedError(), True, "explicit_attribute"),
        (errors.FFIError("x", retryable=False), False, "explicit_attribute"),
        *[
            (kind("x"), False, "permanent_class")
            for kind in (
                ValueError,
                TypeError,
                KeyError,
                AttributeError,
                IndexError,
                AssertionError,
                SyntaxError,
                NameError,
                ImportError,
                NotImplementedError,
            )
        ],
        *[
            (kind("x"), True, "retryable_class")
            for kind in (
                ConnectionError,
                ConnectionResetError,
                builtins.TimeoutError,
                OSError,
                BlockingIOError,
                InterruptedError,
            )
        ],
        (RuntimeError("x"), True, "default"),
    ],
)
def test_classifier_follows_its_order(error, retryable, rule):
    assert errors.get_classifier().classify(error) == {
        "error_type": type(error).__name__,
        "retryable": retryable,
        "classification": rule,
    }
    assert errors.is_retryable(error) is retryable
    assert errors.is_permanent(error) is not retryable


def test_classifier_default_can_be_turned_round():
    assert ErrorClassifier(default_retryable=False).permanent(RuntimeError("x"))


def test_classifier_lists_may_be_overridden():
    class Strict(ErrorClassifier):
        RETRYABLE_ERROR_CLASSES = ()
        PERMANENT_ERROR_CLASSES = (RuntimeError,)

    assert Strict().permanent(RuntimeError())
