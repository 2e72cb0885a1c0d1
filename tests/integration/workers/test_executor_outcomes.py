"""From a claim to its report: what handlers return and raise, and what cannot be stored."""

import asyncio
import json
import socket
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.test import override_settings

from orchestration.queries.steps import report_steps
from templates_registry.models import TemplateRevision
from templates_registry.registry.revisions import forget_revisions
from workers import (
    PermanentError,
    RetryableError,
    StepExecutionError,
    StepHandler,
    StepHandlerResult,
    StepTimeoutError,
    step_handler,
)
from workers.executor import plan as plan_module


def handler_class(body, **attributes):
    """Return a handler class whose call is a function of the context."""
    return type("Made", (StepHandler,), {"call": lambda self, context: body(context), **attributes})


def raiser(error):
    def body(*args, **kwargs):
        raise error

    return body


# --- success


def test_a_success_is_reported_in_the_documented_shape(bench):
    bench.handle(handler_class(lambda context: {"a": 1}, handler_version="2.0.0"))
    claim = bench.claim()

    found = bench.report_of(claim)

    metadata = found.pop("metadata")
    assert found == {
        "step_uuid": str(claim.workflow_step_uuid),
        "success": True,
        "status": "completed",
        "result": {"a": 1},
        "error": None,
        "orchestration_metadata": {
            "headers": {},
            "backoff_hint": None,
            "error_context": None,
            "custom": {},
        },
    }
    assert datetime.fromisoformat(metadata.pop("started_at")) <= datetime.fromisoformat(
        metadata.pop("completed_at")
    )
    assert metadata.pop("execution_time_ms") >= 0
    assert metadata == {
        "worker_id": "bench",
        "worker_hostname": socket.gethostname(),
        "handler_version": "2.0.0",
        "retryable": True,
        "error_type": None,
        "error_code": None,
        "custom": {},
        "context": {},
    }


def test_a_report_is_accepted_by_the_database_and_fenced(bench):
    bench.handle(handler_class(lambda context: {"a": 1}))
    claim = bench.claim()
    bench.run(claim)
    (execution, report) = bench.done[0]

    assert report_steps([report])[claim.workflow_step_uuid].accepted
    assert not report_steps([report])[claim.workflow_step_uuid].accepted
    assert bench.step(claim).results["result"] == {"a": 1}
    assert not execution.is_running


def test_success_metadata_is_custom(bench):
    bench.handle(handler_class(lambda context: StepHandlerResult.success({}, {"rows": 5})))

    assert bench.report_of(bench.claim())["metadata"]["custom"] == {"rows": 5}


def test_values_become_json(bench):
    value = {
        "when": datetime(2026, 1, 2, 3, 4),  # noqa: DTZ001 - a naive one must work too
        "id": UUID(int=1),
        "price": Decimal("1.10"),
        "set": {1},
        1: "key",
        "nan": float("nan"),
        "deep": [float("inf"), {"x": float("-inf")}],
        "backslash": "\\u0000",
    }
    bench.handle(handler_class(lambda context: value))

    assert bench.report_of(bench.claim())["result"] == {
        "when": "2026-01-02T03:04:00",
        "id": str(UUID(int=1)),
        "price": "1.10",
        "set": [1],
        "1": "key",
        "nan": None,
        "deep": [None, {"x": None}],
        "backslash": "\\u0000",
    }


def test_a_decorated_function_and_a_coroutine_run_alike(bench):
    @step_handler("ignored", version="3.0.0")
    def plain(context):
        return {"step": context.step_name}

    @step_handler("ignored", version="3.0.0")
    async def asynchronous(context):
        await asyncio.sleep(0)
        return {"step": context.step_name}

    class Awaitable(StepHandler):
        handler_version = "3.0.0"

        def call(self, context):
            async def later():
                return {"step": context.step_name}

            return later()

    for handler in (plain, asynchronous, Awaitable):
        bench.handle(handler)
        found = bench.report_of(bench.claim())
        assert found["result"] == {"step": "only"}
        assert found["metadata"]["handler_version"] == "3.0.0"


def test_each_asynchronous_dispatch_has_an_event_loop_of_its_own(bench):
    loops = []

    @step_handler("ignored")
    async def handler():
        loops.append(asyncio.get_running_loop())

    bench.handle(handler)
    bench.report_of(bench.claim())
    bench.report_of(bench.claim())

    assert loops[0] is not loops[1]
    assert all(loop.is_closed() for loop in loops)


def test_the_async_orm_works_on_the_dispatchs_own_connection(bench):
    @step_handler("ignored")
    async def handler():
        return {"revisions": await TemplateRevision.objects.acount()}

    bench.handle(handler)

    # The test's transaction is not committed: only its own connection sees the revision.
    assert bench.report_of(bench.claim())["result"] == {"revisions": 1}


def test_another_method_of_the_template_is_called(bench):
    class Two(StepHandler):
        def call(self, context):
            return {"who": "call"}

        def refund(self, context):
            return {"who": "refund"}

    bench.handle(Two)

    assert bench.report_of(bench.claim(handler={"method": "refund"}))["result"] == {"who": "refund"}


# --- failures of the handler


class OddError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "functional", "error_type", "retryable", "code"),
    [
        (PermanentError("x", error_code="C"), False, "permanent_error", False, "C"),
        (RetryableError("x", error_code="C"), True, "retryable_error", True, "C"),
        (StepTimeoutError("own"), False, "retryable_error", True, None),
        (StepExecutionError("x", "own", False), False, "own", False, None),
        (OddError("x"), False, "OddError", True, None),
        (OddError("x"), True, "handler_error", True, None),
        (SystemExit(1), False, "handler_error", True, None),
        (KeyboardInterrupt(), True, "handler_error", True, None),
        (GeneratorExit(), False, "handler_error", True, None),
    ],
)
def test_what_a_handler_raises_is_reported(bench, error, functional, error_type, retryable, code):
    body = raiser(error)
    bench.handle(step_handler("ignored")(lambda: body()) if functional else handler_class(body))

    found = bench.report_of(bench.claim())

    metadata = found["metadata"]
    assert (found["success"], found["status"], found["result"]) == (False, "failed", {})
    assert (metadata["error_type"], metadata["retryable"], metadata["error_code"]) == (
        error_type,
        retryable,
        code,
    )
    assert metadata["context"]["exception_type"] == type(error).__name__
    assert found["error"]["error_type"] == error_type
    assert found["error"]["retryable"] is retryable


@pytest.mark.parametrize("error", [OddError("x"), SystemExit(1), asyncio.CancelledError()])
def test_what_a_coroutine_raises_is_reported(bench, error):
    async def body():
        await asyncio.sleep(0)
        raise error

    bench.handle(step_handler("ignored")(body))

    found = bench.report_of(bench.claim())

    assert (found["status"], found["metadata"]["error_type"]) == ("failed", "handler_error")
    assert found["metadata"]["context"]["exception_type"] == type(error).__name__


def test_a_foreign_exception_brings_its_backtrace(bench):
    bench.handle(handler_class(raiser(OddError("bad \x00 and \ud800"))))

    found = bench.report_of(bench.claim())

    assert found["error"]["message"] == "bad \ufffd and ?"
    assert any("raise error" in line for line in found["error"]["backtrace"])
    assert "OddError" in found["metadata"]["context"]["traceback"]
    report = bench.done[-1][1]
    assert report_steps([report])[report.step_uuid].accepted


def test_a_declared_failure_is_reported(bench):
    failure = StepHandlerResult.failure(
        "no", "odd", False, {"status_code": 404, "context": {"k": 1}, "headers": {"X": "1"}}, "C"
    )
    bench.handle(handler_class(lambda context: failure))

    found = bench.report_of(bench.claim())

    assert found["error"] == {
        "message": "no",
        "error_type": "odd",
        "backtrace": [],
        "retryable": False,
        "status_code": 404,
        "context": {"k": 1},
    }
    assert found["metadata"]["error_code"] == "C"
    assert found["orchestration_metadata"]["headers"] == {"X": "1"}


def test_a_failure_without_type_message_and_code_gets_them(bench):
    bench.handle(
        handler_class(lambda context: StepHandlerResult(success=False, metadata={"error_code": 5}))
    )

    found = bench.report_of(bench.claim())

    assert found["error"]["error_type"] == "handler_error"
    assert found["error"]["message"]
    assert found["metadata"]["error_code"] is None


def test_a_result_that_raises_while_it_is_read_is_the_handlers_failure(bench):
    class Model:
        def model_dump(self, mode):
            raise OddError("unreadable")

    bench.handle(handler_class(lambda context: Model()))

    assert bench.report_of(bench.claim())["metadata"]["error_type"] == "OddError"


@override_settings(TASKER={"environment": "test", "exception_policy": "classifier"})
def test_the_classifier_judges_when_the_policy_says_so(bench):
    bench.handle(handler_class(raiser(ValueError("x"))))

    assert bench.report_of(bench.claim())["metadata"]["retryable"] is False


def test_a_requested_delay_becomes_a_backoff_hint(bench):
    bench.handle(handler_class(raiser(RetryableError("busy", retry_after=30))))

    assert bench.report_of(bench.claim())["orchestration_metadata"]["backoff_hint"] == {
        "backoff_type": "ServerRequested",
        "delay_seconds": 30,
        "context": None,
    }


# --- failures that the worker makes


class Circular:
    def __init__(self):
        self.items: list[object] = []
        self.items.append(self.items)


@pytest.mark.parametrize(
    "value",
    [{"x": object()}, {"x": "\x00"}, {"\x00": 1}, {"x": "\ud800"}, {"x": Circular().items}],
)
def test_a_result_that_json_cannot_hold_fails_for_good(bench, value):
    bench.handle(handler_class(lambda context: value))

    found = bench.report_of(bench.claim())

    assert found["status"] == "error"
    assert (found["metadata"]["error_type"], found["metadata"]["error_code"]) == (
        "result_not_serializable",
        "FFI_SERIALIZATION_ERROR",
    )
    assert found["metadata"]["retryable"] is False
    assert found["metadata"]["context"] == {"original_success": True}


def test_metadata_that_json_cannot_hold_fails_for_good_too(bench):
    bench.handle(handler_class(raiser(RetryableError("x", metadata={"x": object()}))))

    found = bench.report_of(bench.claim())

    assert found["metadata"]["error_code"] == "FFI_SERIALIZATION_ERROR"
    assert found["metadata"]["context"] == {"original_success": False}


@override_settings(TASKER={"environment": "test", "max_result_bytes": 1024})
def test_the_limit_counts_what_the_handler_gave(bench):
    # {"x":"…"} has 8 bytes beside the text, the empty metadata 2.
    bench.handle(handler_class(lambda context: {"x": "a" * (1024 - 10)}))
    assert bench.report_of(bench.claim())["success"] is True

    bench.handle(handler_class(lambda context: {"x": "a" * (1024 - 9)}))
    found = bench.report_of(bench.claim())
    assert (found["status"], found["metadata"]["error_code"]) == ("error", "RESULT_TOO_LARGE")
    assert found["metadata"]["retryable"] is False


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.mark.parametrize(
    ("value", "checked", "code"),
    [
        ({"n": 1}, True, None),
        ({"n": "1"}, True, "RESULT_SCHEMA_MISMATCH"),
        ({"n": "1"}, False, None),
        ({"n": object()}, True, "FFI_SERIALIZATION_ERROR"),
    ],
)
def test_a_result_is_checked_against_its_schema_when_wanted(bench, value, checked, code):
    bench.handle(handler_class(lambda context: value))

    found = bench.report_of(bench.claim(result_schema=SCHEMA, validate_result=checked))

    assert found["metadata"]["error_code"] == code
    if code == "RESULT_SCHEMA_MISMATCH":
        assert (found["status"], found["metadata"]["retryable"]) == ("error", False)
        assert "$.n" in found["error"]["message"]


@pytest.mark.parametrize(
    ("setting", "said", "code"),
    [
        (False, None, None),
        (True, None, "RESULT_SCHEMA_MISMATCH"),
        (True, False, None),
        (False, True, "RESULT_SCHEMA_MISMATCH"),
    ],
)
def test_setting_decides_on_the_check_where_the_step_says_nothing(
    bench, settings, setting, said, code
):
    settings.TASKER = {"validate_results": setting}
    bench.handle(handler_class(lambda context: {"n": f"{setting} {said}"}))

    found = bench.report_of(
        bench.claim(result_schema={**SCHEMA, "title": f"{setting} {said}"}, validate_result=said)
    )

    assert found["metadata"]["error_code"] == code


def test_a_failure_is_not_checked_against_the_schema(bench):
    bench.handle(handler_class(raiser(PermanentError("x", error_code="OWN"))))

    found = bench.report_of(bench.claim(result_schema=SCHEMA, validate_result=True))

    assert found["metadata"]["error_code"] == "OWN"


class BrokenConstructor(StepHandler):
    def __init__(self):
        raise OddError("no constructor")

    def call(self, context):
        return None


@pytest.mark.parametrize(
    ("handler", "spec", "code", "text"),
    [
        (None, {"callable": "shop.absent"}, "HANDLER_NOT_FOUND", "Handler not found: shop.absent"),
        (None, {"callable": "absent_mod.Thing"}, "HANDLER_NOT_FOUND", "ModuleNotFoundError"),
        (BrokenConstructor, {}, "HANDLER_NOT_FOUND", "no constructor"),
        (BrokenConstructor, {"resolver": "absent"}, "RESOLVER_NOT_FOUND", "'absent'"),
        (handler_class(lambda context: None), {"method": "gone"}, "METHOD_NOT_FOUND", "'gone'"),
    ],
)
def test_an_unresolved_callable_fails_for_good(bench, handler, spec, code, text):
    bench.handle(handler or handler_class(lambda context: None))

    found = bench.report_of(bench.claim(handler=spec))

    assert found["status"] == "error"
    assert found["error"]["error_type"] == "handler_not_found"
    assert found["metadata"]["error_code"] == code
    assert found["metadata"]["retryable"] is False
    assert text in found["error"]["message"]


def test_a_template_that_cannot_be_read_is_tried_again(bench):
    bench.handle(handler_class(lambda context: None))
    claim = bench.claim()
    forget_revisions()
    gone = claim._replace(template_digest="0" * 64)

    found = bench.report_of(gone)

    assert (found["status"], found["metadata"]["error_type"]) == ("error", "handler_setup_error")
    assert found["metadata"]["retryable"] is True
    assert "TemplateRevision" in found["error"]["message"]


def test_a_module_that_exits_while_it_is_imported_is_tried_again(bench, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "exits_mod.py").write_text("raise SystemExit(1)")
    bench.handle(handler_class(lambda context: None))

    found = bench.report_of(bench.claim(handler={"callable": "exits_mod.Thing"}))

    assert found["metadata"]["error_type"] == "handler_setup_error"


# --- the context


def test_the_context_says_what_the_claim_says(bench):
    seen = []
    bench.handle(handler_class(lambda context: seen.append(context)))
    claim = bench.claim(
        context={"a": {"b": 1}}, handler={"initialization": {"k": [1]}}, timeout_seconds=7
    )

    bench.report_of(claim)

    (context,) = seen
    assert (context.task_uuid, context.step_uuid) == (claim.task_uuid, claim.workflow_step_uuid)
    assert context.correlation_id == claim.correlation_id
    assert (context.handler_name, context.step_name) == ("test.handler", "only")
    assert context.input_data == {"a": {"b": 1}}
    assert context.step_config == {"k": [1]} == context.step_inputs
    assert context.step_config is not context.step_inputs
    assert (context.retry_count, context.max_retries) == (0, 3)
    assert (context.namespace, context.task_version) == ("bench", "1.0.0")
    assert context.timeout_seconds == 7
    assert 0 < context.time_left() <= 7
    event = context.event
    assert context.event is event
    sequence = context.task_sequence_step
    assert sequence.task.context == {"a": {"b": 1}}
    assert sequence.workflow_step.attempts == 0
    assert sequence.step_definition.handler.callable == "test.handler"
    assert json.loads(event.model_dump_json())["task_sequence_step"]["task"]["task"]["initiator"]


def test_a_handler_cannot_change_the_template(bench):
    def body(context):
        context.step_config["k"].append(2)

    bench.handle(handler_class(body))
    claim = bench.claim(handler={"initialization": {"k": [1]}})

    bench.run(claim)

    assert plan_module.find_plan(claim).definition.initialization == {"k": [1]}


def test_plans_are_kept_but_not_without_end(bench, monkeypatch):
    monkeypatch.setattr(plan_module, "MAX_PLANS", 2)
    monkeypatch.setattr(plan_module, "_plans", {})
    bench.handle(handler_class(lambda context: None))

    claims = [bench.claim() for _ in range(3)]
    plans = [plan_module.find_plan(claim) for claim in claims]

    assert plan_module.find_plan(claims[2]) is plans[2]
    assert len(plan_module._plans) == 1


def test_the_default_timeout_is_a_setting(bench):
    bench.handle(handler_class(lambda context: None))

    execution = bench.run(bench.claim())

    assert execution.timeout_seconds == 300
