"""What one dispatch needs before the handler is called: the template step and the context.

Plans are kept by template digest and step name: content under a digest never changes.
"""

import copy
import threading
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

from orchestration.conf import engine_settings
from orchestration.queries.steps import Claim
from templates_registry import registry as templates
from templates_registry.schema import StepTemplate, validator_of
from workers.context import FfiStepEvent, StepContext
from workers.executor.execution import Execution
from workers.registry import HandlerDefinition

MAX_PLANS = 10_000


class Plan(NamedTuple):
    """Everything about a template step that is the same for all its dispatches."""

    step: StepTemplate
    definition: HandlerDefinition
    check_result: Callable[[Any], str | None] | None


_plans: dict[tuple[str, str], Plan] = {}
_lock = threading.Lock()


def find_plan(claim: Claim) -> Plan:
    """Return the plan of a claim's step; raises what loading the template raises."""
    key = (claim.template_digest, claim.template_step_name)
    plan = _plans.get(key)
    if plan is None:
        template = templates.revision(claim.named_task_uuid, claim.template_digest)
        plan = _make_plan(template.step(claim.template_step_name))
        with _lock:
            if len(_plans) >= MAX_PLANS:
                _plans.clear()
            _plans[key] = plan
    return plan


def _make_plan(step: StepTemplate) -> Plan:
    wanted = step.validate_result
    is_wanted = engine_settings().validate_results if wanted is None else wanted
    is_checked = is_wanted and step.result_schema is not None
    definition = HandlerDefinition.from_step(step)
    return Plan(step, definition, _checker(step.result_schema) if is_checked else None)


def _checker(schema: Any) -> Callable[[Any], str | None]:
    validator = validator_of(schema)

    def check(result: Any) -> str | None:
        error = next(iter(validator.iter_errors(result)), None)
        return None if error is None else f"{error.json_path}: {error.message}"

    return check


def build_context(execution: Execution, plan: Plan) -> StepContext:
    """Build the context of one dispatch; the claim's dicts are this execution's own."""
    claim = execution.claim
    config = copy.deepcopy(dict(plan.definition.initialization))
    return StepContext(
        task_uuid=claim.task_uuid,
        step_uuid=claim.workflow_step_uuid,
        correlation_id=claim.correlation_id,
        handler_name=plan.definition.callable,
        input_data=claim.context,
        dependency_results=claim.dependency_results,
        step_config=config,
        step_inputs=copy.deepcopy(config) if claim.inputs is None else claim.inputs,
        retry_count=claim.attempts - 1,
        max_retries=claim.max_attempts or 3,
        checkpoint=execution.checkpoint,
        step_name=claim.name,
        template_step_name=claim.template_step_name,
        namespace=claim.namespace,
        task_name=claim.task_name,
        task_version=claim.task_version,
        timeout_seconds=execution.timeout_seconds,
        progress=execution.progress,
        build_event=lambda: build_event(execution, plan),
    )


def build_event(execution: Execution, plan: Plan) -> FfiStepEvent:
    """Build the published shape of a claim."""
    claim = execution.claim
    parent = claim.parent_correlation_id
    return FfiStepEvent(
        event_id=str(uuid4()),
        task_uuid=str(claim.task_uuid),
        step_uuid=str(claim.workflow_step_uuid),
        correlation_id=str(claim.correlation_id),
        task_correlation_id=str(claim.correlation_id),
        parent_correlation_id=None if parent is None else str(parent),
        task_sequence_step={
            "task": _task_part(claim),
            "workflow_step": _step_part(execution),
            "dependency_results": claim.dependency_results,
            "step_definition": _definition_part(plan.step),
        },
    )


def _task_part(claim: Claim) -> dict[str, Any]:
    parent = claim.parent_correlation_id
    return {
        "task": {
            "task_uuid": str(claim.task_uuid),
            "context": claim.context,
            "correlation_id": str(claim.correlation_id),
            "parent_correlation_id": None if parent is None else str(parent),
            "priority": claim.priority,
            "tags": claim.tags,
            "initiator": claim.initiator,
            "source_system": claim.source_system,
            "reason": claim.reason,
            "created_at": claim.task_created_at.isoformat(),
            "namespace": claim.namespace,
        },
        "task_name": claim.task_name,
        "task_version": claim.task_version,
        "namespace_name": claim.namespace,
    }


def _step_part(execution: Execution) -> dict[str, Any]:
    claim = execution.claim
    last = claim.last_attempted_at
    return {
        "workflow_step_uuid": str(claim.workflow_step_uuid),
        "task_uuid": str(claim.task_uuid),
        "named_step_uuid": str(claim.named_step_uuid),
        "name": claim.name,
        "template_step_name": claim.template_step_name,
        "retryable": claim.retryable,
        "max_attempts": claim.max_attempts,
        "attempts": claim.attempts - 1,
        "last_attempted_at": None if last is None else last.isoformat(),
        "backoff_request_seconds": 0,
        "inputs": claim.inputs or {},
        "results": {},
        "checkpoint": execution.checkpoint,
        "in_process": True,
        "processed": False,
        "processed_at": None,
        "created_at": None,
        "updated_at": None,
    }


def _definition_part(step: StepTemplate) -> dict[str, Any]:
    kept = {
        "name",
        "description",
        "handler",
        "dependencies",
        "retry",
        "timeout_seconds",
        "publishes_events",
        "type",
        "batch_config",
        "result_schema",
    }
    return step.model_dump(mode="json", include=kept, by_alias=True)
