"""What a reported step becomes: rule 8.1 and line 5 of 7.2."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pydantic_core import to_json

from orchestration.conf import engine_settings
from orchestration.lifecycle.result_processor import decide
from orchestration.queries.results import Reported

SETTINGS = replace(engine_settings(), backoff_jitter_ratio=0.0)
FAILED = "enqueued_as_error_for_orchestration"


def reported(**changes):
    values: dict[str, Any] = {
        "msg_id": 1,
        "task_uuid": uuid4(),
        "workflow_step_uuid": uuid4(),
        "standing": "live",
        "task_state": "steps_in_process",
        "step_state": FAILED,
        "step_type": "standard",
        "succeeded": False,
        "wants_retry": True,
        "attempts": 1,
        "max_attempts": 3,
        "retryable": True,
        "backoff_strategy": "linear",
        "backoff_base_ms": 500,
        "max_backoff_ms": 30_000,
        "orchestration_metadata": None,
        "namespace": "test",
        "step_name": "step",
        "waited_ms": 1.0,
        "named_task_uuid": uuid4(),
        "correlation_id": uuid4(),
        "task_created_at": timezone.now(),
        "is_large": False,
    }
    return Reported(**values | changes)


def decided(**changes):
    settlement = decide(reported(**changes), settings=SETTINGS)
    return settlement.state, settlement.delay_seconds


def test_success_completes_the_step():
    state = "enqueued_for_orchestration"

    assert decided(step_state=state, succeeded=True) == ("complete", None)


def test_stored_result_that_is_no_success_fails_the_step():
    assert decided(step_state="enqueued_for_orchestration") == ("error", None)


@pytest.mark.parametrize(
    ("retryable", "max_attempts", "attempts", "another"),
    [
        (True, 0, 1, False),
        (True, 1, 1, False),
        (True, 2, 1, True),
        (True, 2, 2, False),
        (True, 3, 1, True),
        (True, 3, 2, True),
        (True, 3, 3, False),
        (False, 3, 1, False),
        (False, 0, 1, False),
    ],
)
def test_failure_is_repeated_while_step_and_counters_allow(
    retryable, max_attempts, attempts, another
):
    state, _ = decided(retryable=retryable, max_attempts=max_attempts, attempts=attempts)

    assert state == ("waiting_for_retry" if another else "error")


def test_failure_that_the_handler_calls_permanent_is_not_repeated():
    assert decided(wants_retry=False) == ("error", None)


def test_repetition_waits_as_the_steps_policy_says():
    assert decided(attempts=2) == ("waiting_for_retry", 1.0)


def test_repetition_waits_as_long_as_the_handler_asked():
    asked = to_json({"backoff_hint": {"delay_seconds": 42}}).decode()

    assert decided(orchestration_metadata=asked) == ("waiting_for_retry", 42)
