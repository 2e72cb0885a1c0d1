"""Contexts made by hand: what they say, and that they say it as a worker's would."""

import subprocess
import sys
from uuid import UUID

import pytest

from workers import BatchWorkerContext
from workers.testing import execution_result, make_batch_context, make_context


def test_a_context_without_more_is_the_first_attempt_of_a_step():
    context = make_context()

    assert (context.step_name, context.namespace) == ("step", "test")
    assert (context.attempt, context.max_retries, context.is_retry()) == (1, 3, False)
    assert (context.input_data, context.step_config, context.step_inputs) == ({}, {}, {})
    assert context.checkpoint is None
    assert not context.should_stop()


def test_every_part_of_a_context_can_be_given():
    context = make_context(
        inputs={"order": 7},
        config={"url": "x"},
        step_inputs={"page": 2},
        step="pay",
        namespace="shop",
        attempt=2,
        max_attempts=2,
        checkpoint={"cursor": 40, "items_processed": 40},
        correlation_id=UUID(int=5),
        task_uuid=UUID(int=6),
        task_name="order",
        task_version="2.0.0",
        tags=["urgent"],
    )

    assert context.get_input("order") == 7
    assert context.get_config("url") == "x"
    assert context.step_inputs == {"page": 2}
    assert (context.step_name, context.namespace, context.handler_name) == (
        "pay",
        "shop",
        "shop.pay",
    )
    assert (context.retry_count, context.is_last_retry()) == (1, True)
    assert (context.checkpoint_cursor, context.checkpoint_items_processed) == (40, 40)
    assert (context.correlation_id, context.task_uuid) == (UUID(int=5), UUID(int=6))
    assert (context.task_name, context.task_version) == ("order", "2.0.0")
    assert context.idempotency_key == f"{UUID(int=6)}:pay"


def test_step_inputs_are_the_configuration_unless_given():
    assert make_context(config={"a": 1}).step_inputs == {"a": 1}


def test_what_the_steps_before_gave_is_wrapped_as_it_is_stored():
    context = make_context(
        dependencies={
            "plain": {"celsius": 95},
            "a_list": [1, 2],
            "whole": execution_result({"x": 1}),
            "failed": execution_result(success=False, error_type="timeout", message="too slow"),
        }
    )

    assert context.get_dependency_result("plain") == {"celsius": 95}
    assert context.get_dependency_result("a_list") == [1, 2]
    assert context.get_dependency_field("whole", "x") == 1
    assert context.dependency_results["plain"]["status"] == "completed"
    failed = context.dependency_results["failed"]
    assert (failed["success"], failed["status"], failed["result"]) == (False, "failed", {})
    assert failed["error"] == {"message": "too slow", "error_type": "timeout", "retryable": False}


def test_a_dependency_that_has_a_key_result_of_its_own_is_wrapped_all_the_same():
    context = make_context(dependencies={"step": {"result": 5}})

    assert context.get_dependency_result("step") == {"result": 5}


def test_the_raw_event_tells_the_same_story():
    context = make_context(
        inputs={"order": 7}, step="pay", attempt=3, priority=5, parent_correlation_id=UUID(int=9)
    )

    event, parts = context.event, context.task_sequence_step
    assert event.task_uuid == str(context.task_uuid)
    assert event.parent_correlation_id == str(UUID(int=9))
    assert parts.task.context == {"order": 7}
    assert (parts.workflow_step.name, parts.workflow_step.attempts) == ("pay", 2)
    assert event.task_sequence_step["task"]["task"]["priority"] == 5
    assert parts.step_definition.handler.callable == "test.pay"


@pytest.mark.parametrize("number", [0, -1])
def test_attempts_count_from_one(number):
    with pytest.raises(ValueError, match="count from 1"):
        make_context(attempt=number)


def test_an_unknown_keyword_is_refused_by_name():
    with pytest.raises(TypeError, match=r"no keyword input$"):
        make_context(input={"a": 1})  # type: ignore[call-arg]


def test_a_batch_context_is_that_of_an_instance():
    context = make_batch_context(200, 400, batch_id="002", step="import_rows", config={"a": 1})

    assert (context.step_name, context.template_step_name) == ("import_rows_002", "import_rows")
    assert (context.step_inputs["a"], context.step_inputs["is_no_op"]) == (1, False)
    batch = BatchWorkerContext.from_step_context(context)
    assert batch is not None
    assert (batch.batch_id, batch.start_cursor, batch.end_cursor) == ("002", 200, 400)
    assert (batch.step_size, batch.batch_index, batch.total_batches) == (200, 0, 1)
    assert batch.batch_metadata["failure_strategy"] == "continue_on_failure"


def test_a_batch_context_takes_checkpoint_placeholder_and_other_cursors():
    checkpoint = {"cursor": "m", "items_processed": 12, "accumulated_results": {"n": 12}}
    context = make_batch_context("a", "z", checkpoint=checkpoint, no_op=True, attempt=2)

    batch = BatchWorkerContext.from_step_context(context)
    assert batch is not None
    assert (batch.start_cursor, batch.step_size, batch.checkpoint_cursor) == ("a", 1, "m")
    assert batch.accumulated_results == {"n": 12}
    assert context.step_inputs["is_no_op"] is True
    assert context.attempt == 2


def test_making_contexts_needs_no_django():
    code = (
        "from workers.testing import execution_result, make_batch_context, make_context;"
        "assert make_context(dependencies={'a': execution_result(1)}).attempt == 1;"
        "make_batch_context(0, 10);"
        "import sys; assert 'django.db' not in sys.modules"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )

    assert done.returncode == 0, done.stderr
