"""`StepContext` and the raw event."""

import time
from uuid import UUID

import pytest

from workers.context import (
    DependencyResultsWrapper,
    FfiStepEvent,
    Progress,
    StepContext,
    TaskWrapper,
)

TASK = UUID(int=1)


def execution_result(result):
    return {"success": True, "status": "completed", "result": result}


@pytest.fixture
def context():
    return StepContext(
        task_uuid=TASK,
        step_name="pay_001",
        input_data={"a": 1, "none": None},
        step_config={"url": "x"},
        dependency_results={
            "plain": execution_result({"deep": {"er": 5}}),
            "list_1": execution_result([1]),
            "list_2": execution_result(None),
            "raw": 7,
        },
    )


def test_inputs_are_read_by_key(context):
    assert context.get_input("a") == 1
    assert context.get_task_field("a") == 1
    assert context.get_input("absent") is None
    assert context.get_input_or("none", 3) == 3
    assert context.get_input_or("absent", 3) == 3
    assert context.get_input_or("a", 3) == 1
    assert context.get_config("url") == "x"
    assert context.get_config("absent") is None


def test_dependency_results_are_unwrapped_by_one_level(context):
    assert context.get_dependency_result("plain") == {"deep": {"er": 5}}
    assert context.get_results("plain") == {"deep": {"er": 5}}
    assert context.get_dependency_result("raw") == 7
    assert context.get_dependency_result("absent") is None


@pytest.mark.parametrize(
    ("step", "path", "value"),
    [
        ("plain", ("deep", "er"), 5),
        ("plain", ("deep",), {"er": 5}),
        ("plain", ("deep", "er", "more"), None),
        ("plain", ("absent", "er"), None),
        ("absent", ("deep",), None),
        ("list_1", ("deep",), None),
    ],
)
def test_dependency_fields_are_walked(context, step, path, value):
    assert context.get_dependency_field(step, *path) == value


def test_dependency_results_are_listed_and_chosen_by_prefix(context):
    assert context.get_dependency_result_keys() == ["plain", "list_1", "list_2", "raw"]
    assert context.get_all_dependency_results("list_") == [[1]]


@pytest.mark.parametrize(
    ("retry_count", "max_retries", "is_retry", "is_last"),
    [(0, 3, False, False), (1, 3, True, False), (2, 3, True, True), (0, 1, False, True)],
)
def test_attempts_are_counted(retry_count, max_retries, is_retry, is_last):
    context = StepContext(retry_count=retry_count, max_retries=max_retries)

    assert (context.is_retry(), context.is_last_retry()) == (is_retry, is_last)
    assert context.attempt == retry_count + 1


def test_idempotency_key_is_the_same_for_every_attempt(context):
    context.retry_count = 5

    assert context.idempotency_key == f"{TASK}:pay_001"


def test_without_a_checkpoint_its_parts_are_empty():
    context = StepContext()

    assert context.checkpoint is None
    assert context.checkpoint_cursor is None
    assert context.checkpoint_items_processed == 0
    assert context.accumulated_results is None
    assert not context.has_checkpoint()


def test_a_checkpoint_is_read_by_its_parts():
    context = StepContext(
        checkpoint={"cursor": 0, "items_processed": 4, "accumulated_results": {"sum": 1}}
    )

    assert context.checkpoint_cursor == 0
    assert context.checkpoint_items_processed == 4
    assert context.accumulated_results == {"sum": 1}
    assert context.has_checkpoint()


def test_progress_turns_under_the_running_handler():
    stopping: list[int] = []
    progress = Progress(is_stopping=lambda: bool(stopping))
    context = StepContext(progress=progress)
    assert not context.should_stop()
    assert context.time_left() is None

    progress.deadline = time.monotonic() + 60
    assert 59 < (context.time_left() or 0) <= 60
    assert not context.should_stop()

    stopping.append(1)
    assert context.should_stop()
    stopping.clear()

    progress.cancelled = True
    assert context.cancelled
    assert context.should_stop()


def test_a_context_without_a_worker_never_says_stop():
    assert StepContext().should_stop() is False


def test_a_passed_deadline_says_stop():
    progress = Progress()
    progress.deadline = time.monotonic() - 1

    assert StepContext(progress=progress).time_left() == 0
    assert StepContext(progress=progress).should_stop()


EVENT = FfiStepEvent(
    event_id="e",
    task_uuid=str(TASK),
    step_uuid=str(UUID(int=2)),
    correlation_id=str(UUID(int=3)),
    task_sequence_step={
        "task": {
            "task": {"task_uuid": str(TASK), "context": {"a": 1}, "namespace": "inner"},
            "task_name": "order",
            "task_version": "1.0.0",
            "namespace_name": "shop",
        },
        "workflow_step": {"name": "pay_001", "attempts": 2, "max_attempts": 5},
        "dependency_results": {"before": execution_result({"x": 1})},
        "step_definition": {
            "name": "pay",
            "handler": {"callable": "shop.pay", "method": "run", "initialization": {"k": "v"}},
            "timeout_seconds": 9,
        },
    },
)


def test_a_context_is_built_from_a_raw_event():
    context = StepContext.from_ffi_event(EVENT, "shop.pay")

    assert context.task_uuid == TASK
    assert context.step_uuid == UUID(int=2)
    assert context.handler_name == "shop.pay"
    assert context.input_data == {"a": 1}
    assert context.get_dependency_result("before") == {"x": 1}
    assert context.step_config == {"k": "v"}
    assert context.step_inputs == {"k": "v"}
    assert context.step_inputs is not context.step_config
    assert (context.retry_count, context.max_retries) == (2, 5)
    assert (context.step_name, context.template_step_name) == ("pay_001", "pay")
    assert (context.namespace, context.task_name, context.task_version) == (
        "shop",
        "order",
        "1.0.0",
    )
    assert context.timeout_seconds == 9
    assert context.event is EVENT


def test_missing_parts_of_an_event_are_empty_defaults():
    context = StepContext.from_ffi_event(FfiStepEvent(task_uuid="no uuid"), "x")

    assert context.task_uuid == UUID(int=0)
    assert context.input_data == {}
    assert context.max_retries == 3
    sequence = context.task_sequence_step
    assert sequence.workflow_step.max_attempts == 3
    assert sequence.step_definition.timeout_seconds == 30
    assert StepContext().event.event_id == ""


def test_wrappers_read_the_event():
    sequence = StepContext.from_ffi_event(EVENT, "x").task_sequence_step

    assert sequence.get_task_field("a") == 1
    assert sequence.task.namespace_name == "shop"
    assert sequence.workflow_step.attempts == 2
    handler = sequence.step_definition.handler
    assert (handler.callable, handler.handler_method, handler.resolver) == ("shop.pay", "run", None)
    assert handler.initialization == {"k": "v"}
    assert sequence.get_results("before") == {"x": 1}
    assert sequence.get_dependency_result("before") == execution_result({"x": 1})


def test_task_wrapper_accepts_flat_input():
    wrapper = TaskWrapper.from_dict({"task_uuid": "t", "context": {"a": 1}, "namespace": "n"})

    assert (wrapper.task_uuid, wrapper.context, wrapper.namespace_name) == ("t", {"a": 1}, "n")


def test_dependency_wrapper_behaves_like_a_mapping():
    wrapper = DependencyResultsWrapper.from_dict({"a": execution_result(1), "b": 2})

    assert "a" in wrapper
    assert list(wrapper) == ["a", "b"] == list(wrapper.keys())
    assert len(wrapper) == 2
    assert wrapper["b"] == 2 == wrapper.get_results("b")
    assert wrapper.get_result("absent") is None
