"""Atomic handlers, checkpoints, lost claims and shutdown."""

import json
import threading

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from orchestration import metrics
from orchestration.messaging import pgmq
from orchestration.messaging.messages import RESULTS_QUEUE
from orchestration.models import WorkflowStep
from orchestration.queries import steps as step_queries
from orchestration.queries.steps import report_steps
from templates_registry.models import TaskNamespace
from workers import (
    Batchable,
    Checkpoint,
    PermanentError,
    StepHandler,
    StepHandlerResult,
    step_handler,
)

TEST = {"environment": "test"}


def written():
    return set(TaskNamespace.objects.exclude(name="bench").values_list("name", flat=True))


def write(name):
    TaskNamespace.objects.create(name=name)


def results_waiting():
    return len(pgmq.read(RESULTS_QUEUE, limit=10, visibility_seconds=0))


# --- atomic


def test_an_atomic_handlers_writes_and_report_commit_together(committing_bench):
    bench = committing_bench

    @step_handler("ignored", atomic=True)
    def handler():
        write("inside")
        transaction.on_commit(lambda: write("hook"))
        return {"a": 1}

    bench.handle(handler)
    claim = bench.claim()
    before = metrics.STEPS_SUCCEEDED.value

    execution = bench.run(claim)

    assert bench.done == [(execution, None)]
    assert execution.is_stored
    assert written() == {"inside", "hook"}
    step = bench.step(claim)
    assert step.state == "enqueued_for_orchestration"
    assert step.results["result"] == {"a": 1}
    assert metrics.STEPS_SUCCEEDED.value == before + 1


def test_an_atomic_class_is_atomic_too(committing_bench):
    bench = committing_bench

    class Writing(StepHandler):
        atomic = True

        def call(self, context):
            write("inside")
            return self.success()

    bench.handle(Writing)

    assert bench.run(bench.claim()).is_stored
    assert written() == {"inside"}


class OddError(Exception):
    pass


@pytest.mark.parametrize(
    ("end", "error_type"),
    [
        (lambda: PermanentError("no"), "permanent_error"),
        (lambda: OddError("no"), "handler_error"),
        (lambda: SystemExit(1), "handler_error"),
    ],
)
def test_a_failing_atomic_handler_leaves_only_its_failure(committing_bench, end, error_type):
    bench = committing_bench

    @step_handler("ignored", atomic=True)
    def handler():
        write("inside")
        raise end()

    bench.handle(handler)
    claim = bench.claim()

    report = bench.report_of(claim)

    assert report["metadata"]["error_type"] == error_type
    assert written() == set()
    assert bench.step(claim).state == "in_progress"


def test_a_declared_failure_rolls_back_as_well(committing_bench):
    bench = committing_bench

    @step_handler("ignored", atomic=True)
    def handler():
        write("inside")
        return StepHandlerResult.failure("no")

    bench.handle(handler)

    assert bench.report_of(bench.claim())["success"] is False
    assert written() == set()


@pytest.mark.parametrize("value", [{"x": object()}, {"x": "\x00"}])
def test_an_unserialisable_result_rolls_back_as_well(committing_bench, value):
    bench = committing_bench

    @step_handler("ignored", atomic=True)
    def handler():
        write("inside")
        return value

    bench.handle(handler)

    report = bench.report_of(bench.claim())
    assert report["metadata"]["error_code"] == "FFI_SERIALIZATION_ERROR"
    assert written() == set()


def test_a_result_that_only_postgresql_refuses_fails_for_good(committing_bench):
    bench = committing_bench

    @step_handler("ignored", atomic=True)
    def handler():
        write("inside")
        return {"x": 10**200_000}

    bench.handle(handler)

    report = bench.report_of(bench.claim())
    assert report["metadata"]["error_type"] == "result_not_serializable"
    assert written() == set()


def test_a_superseded_atomic_handler_writes_nothing(committing_bench):
    bench = committing_bench

    @step_handler("ignored", atomic=True)
    def handler():
        write("inside")

    bench.handle(handler)
    claim = bench.claim()
    before = metrics.STALE_REPORTS.value

    execution = bench.run(claim._replace(state_version=claim.state_version - 1))

    assert bench.done == [(execution, None)]
    assert execution.is_cancelled
    assert not execution.is_stored
    assert written() == set()
    assert metrics.STALE_REPORTS.value == before + 1
    assert bench.step(claim).state == "in_progress"


def test_a_failing_commit_is_a_failure_of_the_step(committing_bench):
    bench = committing_bench

    @step_handler("ignored", atomic=True)
    def handler():
        write("inside")
        try:
            with transaction.atomic():
                write("inside")
        except IntegrityError:
            transaction.set_rollback(True)  # the transaction can no longer be committed

    bench.handle(handler)
    claim = bench.claim()

    report = bench.report_of(claim)

    assert report["success"] is False
    assert report["metadata"]["retryable"] is True
    assert written() == set()
    assert bench.step(claim).state == "in_progress"


def test_a_failing_on_commit_hook_does_not_undo_the_step(committing_bench, caplog):
    bench = committing_bench

    @step_handler("ignored", atomic=True)
    def handler():
        write("inside")
        transaction.on_commit(lambda: 1 / 0)
        return {"a": 1}

    bench.handle(handler)
    claim = bench.claim()

    execution = bench.run(claim)

    assert bench.done == [(execution, None)]
    assert execution.is_stored
    assert written() == {"inside"}
    assert bench.step(claim).state == "enqueued_for_orchestration"
    assert "handler.on_commit_failed" in [each.msg for each in caplog.records]


async def later():
    return {}


class Awaitable:
    def __await__(self):
        yield


@pytest.mark.parametrize("make", [later, Awaitable])
def test_an_atomic_handler_may_not_return_an_awaitable(committing_bench, make):
    bench = committing_bench

    class Sneaky(StepHandler):
        atomic = True

        def call(self, context):
            return make()

    bench.handle(Sneaky)

    report = bench.report_of(bench.claim())
    assert report["metadata"]["error_type"] == "TypeError"
    assert "atomic" in report["error"]["message"]


def test_an_atomic_handler_works_inside_a_tests_own_transaction(bench):
    @step_handler("ignored", atomic=True)
    def handler():
        write("inside")
        return {"a": 1}

    bench.handle(handler)
    claim = bench.claim()

    assert bench.run(claim).is_stored
    assert bench.step(claim).results["result"] == {"a": 1}


# --- checkpoints


class Counting(StepHandler, Batchable):
    """Processes 3 items a dispatch until 9."""

    def call(self, context):
        done = context.checkpoint_items_processed
        if done >= 9:
            return self.success({"total": context.accumulated_results["total"]})
        total = (context.accumulated_results or {}).get("total", 0) + 3
        return self.checkpoint_yield(done + 3, done + 3, {"total": total})


def test_a_checkpoint_is_stored_and_the_step_dispatched_again(bench):
    seen = []

    class Watched(Counting):
        def call(self, context):
            seen.append((context.checkpoint_cursor, context.retry_count, context.timeout_seconds))
            return super().call(context)

    bench.handle(Watched)
    claim = bench.claim()

    report = bench.report_of(claim)

    assert report["result"] == {"total": 9}
    assert seen == [(None, 0, 300), (3, 0, 300), (6, 0, 300), (9, 0, 300)]
    step = bench.step(claim)
    assert (step.state, step.attempts) == ("in_progress", 1)
    assert (step.checkpoint["cursor"], step.checkpoint["items_processed"]) == (9, 9)
    assert step.checkpoint["accumulated_results"] == {"total": 9}
    assert [each["cursor"] for each in step.checkpoint["history"]] == [3, 6, 9]
    assert results_waiting() == 0
    assert len(bench.done) == 1


def test_absent_results_keep_the_earlier_ones_and_history_is_bounded(bench, settings):
    settings.TASKER = {**TEST, "checkpoint_history_length": 2}

    @step_handler("ignored")
    def handler(context):
        done = context.checkpoint_items_processed
        if done == 4:
            return {"kept": context.accumulated_results}
        return Checkpoint({"at": done + 1}, done + 1, {"sum": 1} if done == 0 else None)

    bench.handle(handler)
    claim = bench.claim()

    assert bench.report_of(claim)["result"] == {"kept": {"sum": 1}}
    assert bench.step(claim).checkpoint["accumulated_results"] == {"sum": 1}
    history = bench.done[0][0].checkpoint["history"]
    assert [each["cursor"] for each in history] == [{"at": 3}, {"at": 4}]


def test_no_history_is_kept_when_its_length_is_zero(bench, settings):
    settings.TASKER = {**TEST, "checkpoint_history_length": 0}
    bench.handle(Counting)
    claim = bench.claim()

    assert bench.run(claim).checkpoint["history"] == []


def test_a_claim_starts_from_its_stored_checkpoint(bench):
    bench.handle(Counting)
    claim = bench.claim()
    stored = {"cursor": 6, "items_processed": 6, "accumulated_results": {"total": 60}}

    report = bench.report_of(claim._replace(checkpoint=stored))

    assert report["result"] == {"total": 63}


def test_only_the_flag_in_the_metadata_makes_a_checkpoint(bench):
    bench.handle(step_handler("ignored")(lambda: {"type": "checkpoint_yield", "cursor": 1}))

    assert bench.report_of(bench.claim())["success"] is True


@pytest.mark.parametrize(
    ("cursor", "why"),
    [(object(), "object"), ("\x00", "U+0000"), ("x" * 2000, "max_checkpoint_bytes allows 1024")],
)
def test_a_checkpoint_that_cannot_be_written_is_a_retryable_failure(bench, settings, cursor, why):
    settings.TASKER = {**TEST, "max_checkpoint_bytes": 1024}
    bench.handle(step_handler("ignored")(lambda: Checkpoint(cursor, 1)))
    claim = bench.claim()

    report = bench.report_of(claim)

    assert (report["status"], report["metadata"]["error_type"]) == (
        "error",
        "checkpoint_write_failed",
    )
    assert report["metadata"]["retryable"] is True
    assert why in report["error"]["message"]
    assert bench.step(claim).checkpoint is None


def test_a_database_error_is_tried_once_more(committing_bench, monkeypatch):
    bench, calls = committing_bench, []
    real = step_queries.save_checkpoint

    def failing_first(*args, **kwargs):
        calls.append(1)
        if len(calls) == 1:
            raise DatabaseError("connection lost")
        return real(*args, **kwargs)

    monkeypatch.setattr(step_queries, "save_checkpoint", failing_first)
    bench.handle(Counting)

    assert bench.report_of(bench.claim())["result"] == {"total": 9}
    assert len(calls) == 4


@pytest.mark.parametrize(("atomic", "tries"), [(False, 2), (True, 1)])
def test_a_database_error_twice_is_a_retryable_failure(
    committing_bench, monkeypatch, atomic, tries
):
    bench, calls = committing_bench, []

    def failing(*args, **kwargs):
        calls.append(1)
        raise DatabaseError("connection lost")

    monkeypatch.setattr(step_queries, "save_checkpoint", failing)

    @step_handler("ignored", atomic=atomic)
    def handler():
        write("inside")
        return Checkpoint(1, 1)

    bench.handle(handler)

    report = bench.report_of(bench.claim())

    assert report["metadata"]["error_type"] == "checkpoint_write_failed"
    assert len(calls) == tries
    assert written() == (set() if atomic else {"inside"})


def test_an_atomic_handlers_writes_commit_with_each_checkpoint(committing_bench):
    bench = committing_bench

    @step_handler("ignored", atomic=True)
    def handler(context):
        done = context.checkpoint_items_processed
        write(f"item_{done}")
        if done == 2:
            raise PermanentError("stop here")
        return Checkpoint(done + 1, done + 1)

    bench.handle(handler)
    claim = bench.claim()

    report = bench.report_of(claim)

    assert report["success"] is False
    assert written() == {"item_0", "item_1"}
    assert bench.step(claim).checkpoint["items_processed"] == 2


def test_a_checkpoint_of_a_lost_claim_ends_the_execution(bench):
    bench.handle(Counting)
    claim = bench.claim()

    execution = bench.run(claim._replace(state_version=claim.state_version - 1))

    assert bench.done == [(execution, None)]
    assert execution.is_cancelled
    assert bench.step(claim).checkpoint is None


# --- cancelled and stopping


def test_the_result_of_a_cancelled_execution_is_dropped(bench):
    seen: list[tuple[bool, bool]] = []

    @step_handler("ignored")
    def handler(context):
        execution.cancel()
        seen.append((context.cancelled, context.should_stop()))
        return {"a": 1}

    bench.handle(handler)
    execution = bench.executor.begin(bench.claim())

    bench.executor.run(execution)

    assert bench.done == [(execution, None)]
    assert seen == [(True, True)]
    assert not execution.is_stored


def test_a_cancelled_atomic_handler_writes_nothing(committing_bench):
    bench = committing_bench

    @step_handler("ignored", atomic=True)
    def handler():
        write("inside")
        execution.cancel()

    bench.handle(handler)
    execution = bench.executor.begin(bench.claim())

    bench.executor.run(execution)

    assert bench.done == [(execution, None)]
    assert written() == set()


def test_a_stopping_worker_does_not_dispatch_again_after_a_checkpoint(bench):
    dispatches = []

    class Stopping(Counting):
        def call(self, context):
            dispatches.append(context.should_stop())
            bench.is_stopping = True
            return super().call(context)

    bench.handle(Stopping)
    claim = bench.claim()

    execution = bench.run(claim)

    assert bench.done == [(execution, None)]
    assert execution.is_unfinished
    assert not execution.is_cancelled
    assert dispatches == [False]
    assert bench.step(claim).checkpoint["items_processed"] == 3


def test_a_stopping_worker_still_reports_a_result(bench):
    bench.is_stopping = True
    bench.handle(step_handler("ignored")(lambda context: {"stop": context.should_stop()}))

    assert bench.report_of(bench.claim())["result"] == {"stop": True}


def test_executions_of_several_threads_do_not_mix(committing_bench):
    bench = committing_bench
    barrier = threading.Barrier(3)

    @step_handler("ignored", atomic=True)
    def handler(context):
        barrier.wait(10)
        return {"me": context.get_input("me")}

    bench.handle(handler)
    claims = [bench.claim(context={"me": number}) for number in range(3)]

    threads = [threading.Thread(target=bench.run, args=(claim,)) for claim in claims]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    stored = [bench.step(claim).results["result"]["me"] for claim in claims]
    assert stored == [0, 1, 2]


def test_reports_of_the_same_claim_are_accepted_once(bench):
    bench.handle(step_handler("ignored")(lambda: {"a": 1}))
    claim = bench.claim()
    bench.run(claim)
    bench.run(claim)

    first, second = (report for _, report in bench.done)

    assert report_steps([first])[claim.workflow_step_uuid].accepted
    assert not report_steps([second])[claim.workflow_step_uuid].accepted
    assert json.loads(first.results)["result"] == {"a": 1}
    assert WorkflowStep.objects.get(pk=claim.workflow_step_uuid).attempts == 1
