"""What one dispatch needs before the handler is called: the context, and the raw event."""

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from orchestration.queries.steps import Claim, ancestor_results
from templates_registry.schema import StepTemplate
from workers.context import Ancestors, FfiStepEvent, StepContext
from workers.executor.execution import Execution
from workers.executor.plan import Plan


def build_context(execution: Execution, plan: Plan) -> StepContext:
    """Build the context of one dispatch; the claim's dicts are this execution's own."""
    claim = execution.claim
    rest = None if claim.has_all_ancestors else partial(ancestor_results, claim.workflow_step_uuid)
    ancestors = Ancestors(claim.dependency_results, rest)
    given = plan.definition.initialization
    return StepContext(
        task_uuid=claim.task_uuid,
        step_uuid=claim.workflow_step_uuid,
        correlation_id=claim.correlation_id,
        handler_name=plan.definition.callable,
        input_data=claim.context,
        dependency_results=ancestors,
        step_config=_copied(given),
        step_inputs=_copied(given) if claim.inputs is None else claim.inputs,
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
        build_event=lambda: build_event(execution, plan, ancestors),
    )


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(dict(values)) if values else {}


def build_event(
    execution: Execution, plan: Plan, dependency_results: dict[str, Any]
) -> FfiStepEvent:
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
            "dependency_results": dependency_results,
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
