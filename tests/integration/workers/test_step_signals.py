"""The signals of a step: what each tells, and that none comes for what was not stored."""

from contextlib import contextmanager

import pytest

from orchestration.runtime.pool_size import PoolSize
from workers import Checkpoint, ResultStatus, signals, step_handler
from workers.worker.reporting import Reporter
from workers.worker.slots import Slots

NAMES = (
    "step_execution_received",
    "step_checkpoint_yield_sent",
    "step_completion_sent",
    "handler_error",
)


@contextmanager
def hearing():
    heard = []
    receivers = []
    for name in NAMES:

        def receive(sender, signal, name=name, **told):
            heard.append((name, told))

        receivers.append(receive)
        getattr(signals, name).connect(receive)
    try:
        yield heard
    finally:
        for name, receive in zip(NAMES, receivers, strict=True):
            getattr(signals, name).disconnect(receive)


@pytest.fixture
def run(bench):
    """Run one step of a handler and report it; return what the signals told."""
    slots = Slots(PoolSize("handlers", minimum=9, maximum=9, database_share=lambda: 0.0))
    reporter = Reporter(slots, worker_id="bench", on_settled=lambda: None)

    def run_one(function, *, atomic=False, stores=True):
        bench.handle(step_handler("ignored", atomic=atomic)(function))
        claim = bench.claim()
        with hearing() as heard:
            bench.run(claim)
            if stores:
                reporter.deliver(*bench.done[-1])
                reporter.run_once()
        for _, told in heard:
            assert told["event"].step_uuid == str(claim.workflow_step_uuid)
        return heard

    return run_one


@pytest.mark.parametrize("atomic", [False, True])
def test_a_success_is_received_and_completed(run, atomic):
    (received, _), (completed, told) = run(lambda: {"a": 1}, atomic=atomic)

    assert (received, completed) == ("step_execution_received", "step_completion_sent")
    assert told["result"].status is ResultStatus.SUCCESS
    assert told["result"].result == {"a": 1}
    assert told["result"].worker_id == "bench"


def test_what_a_handler_raises_is_told(run):
    error = ValueError("no")

    def handler():
        raise error

    heard = run(handler)

    assert [name for name, _ in heard] == [
        "step_execution_received",
        "step_completion_sent",
        "handler_error",
    ]
    result = heard[1][1]["result"]
    assert result.status is ResultStatus.RETRYABLE_ERROR
    assert (result.error.error_type, result.error.message) == ("handler_error", "no")
    assert "ValueError: no" in result.error.stack_trace
    assert heard[2][1]["error"] is error


@pytest.mark.parametrize("atomic", [False, True])
def test_a_checkpoint_is_told_each_time_and_the_step_is_received_once(run, atomic):
    ends = iter([Checkpoint(1, 10), Checkpoint(2, 20), {"done": True}])

    heard = run(lambda: next(ends), atomic=atomic)

    assert [name for name, _ in heard] == [
        "step_execution_received",
        "step_checkpoint_yield_sent",
        "step_checkpoint_yield_sent",
        "step_completion_sent",
    ]
    assert [told["checkpoint"]["cursor"] for _, told in heard[1:3]] == [1, 2]


def test_nothing_is_completed_before_it_is_stored(run):
    assert [name for name, _ in run(lambda: {"a": 1}, stores=False)] == ["step_execution_received"]
