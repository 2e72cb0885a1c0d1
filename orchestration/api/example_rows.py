"""The things that the examples of the OpenAPI document are about; see `examples.py`."""

from typing import Any

TASK_UUID = "019a0c4e-6a10-7cc1-8f3e-2d5a1b7c9e01"
STEP_UUID = "019a0c4e-6a14-7d20-9b1c-6e8f2a4b5c02"
ENTRY_UUID = "019a0c51-1f00-7a31-8c2d-3f4e5a6b7c03"
FLOW_UUID = "019a0c4e-6a0f-7b42-ae5f-4a5b6c7d8e04"
NAMED_STEP_UUID = "019a0000-0000-7053-bf60-5b6c7d8e9f05"
AT = "2026-01-31T12:00:00.000000Z"
LATER = "2026-01-31T12:03:20.500000Z"

_READINESS: dict[str, Any] = {
    "current_state": "error",
    "dependencies_satisfied": True,
    "retry_eligible": False,
    "ready_for_execution": False,
    "last_failure_at": LATER,
    "next_retry_at": None,
    "total_parents": 1,
    "completed_parents": 1,
    "attempts": 3,
    "max_attempts": 3,
    "last_attempted_at": LATER,
}
TASK: dict[str, Any] = {
    "task_uuid": TASK_UUID,
    "name": "process_order",
    "namespace": "order_fulfillment",
    "version": "1.0.0",
    "status": "blocked_by_failures",
    "created_at": AT,
    "updated_at": LATER,
    "requested_at": AT,
    "completed_at": None,
    "context": {"customer": {"id": "c-1"}, "items": [{"sku": "A-1", "quantity": 2}]},
    "options": {},
    "initiator": "api_key:Ab3dEf9h",
    "source_system": "api",
    "reason": "",
    "priority": 5,
    "tags": ["web"],
    "correlation_id": FLOW_UUID,
    "parent_correlation_id": None,
    "total_steps": 2,
    "pending_steps": 0,
    "in_progress_steps": 0,
    "completed_steps": 1,
    "failed_steps": 1,
    "ready_steps": 0,
    "execution_status": "blocked_by_failures",
    "recommended_action": "handle_failures",
    "health_status": "blocked",
    "completion_percentage": 50.0,
    "is_terminal": False,
    "is_resting": True,
    "revision": 19,
    "steps": [
        {
            "workflow_step_uuid": STEP_UUID,
            "task_uuid": TASK_UUID,
            "named_step_uuid": NAMED_STEP_UUID,
            "name": "charge_card",
            "backoff_request_seconds": None,
            **_READINESS,
        }
    ],
}
STEP: dict[str, Any] = {
    "step_uuid": STEP_UUID,
    "task_uuid": TASK_UUID,
    "name": "charge_card",
    "step_type": "standard",
    "created_at": AT,
    "updated_at": LATER,
    "completed_at": None,
    "results": {
        "success": False,
        "error": {"message": "card refused", "error_type": "CardRefused", "retryable": False},
    },
    "checkpoint": None,
    "dependencies": ["reserve_stock"],
    "lease_until": None,
    "claimed_by": None,
    "requeue_count": 0,
    "batch_id": None,
    "origin_step_uuid": None,
    **_READINESS,
}
DLQ_ENTRY: dict[str, Any] = {
    "dlq_entry_uuid": ENTRY_UUID,
    "task_uuid": TASK_UUID,
    "original_state": "blocked_by_failures",
    "dlq_reason": "manual_dlq",
    "dlq_timestamp": LATER,
    "resolution_status": "pending",
    "resolution_timestamp": None,
    "resolution_notes": None,
    "resolved_by": None,
    "task_snapshot": {"state": "blocked_by_failures", "namespace": "order_fulfillment"},
    "queue_name": None,
    "msg_id": None,
    "message": None,
    "metadata": {"actor": "user:ann", "notes": "The bank has refused this card for two days."},
}
TEMPLATE_LINE: dict[str, Any] = {
    "name": "process_order",
    "namespace": "order_fulfillment",
    "version": "1.0.0",
    "description": "Reserve, charge, ship.",
    "step_count": 2,
}
GREETING: dict[str, Any] = {
    "name": "greeting",
    "namespace_name": "examples",
    "version": "1.0.0",
    "steps": [{"name": "greet", "handler": {"callable": "examples.greet"}}],
}
GREETING_YAML = """\
name: greeting
namespace_name: examples
version: 1.0.0
steps:
  - {name: greet, handler: {callable: examples.greet}}
"""
FINDING: dict[str, Any] = {
    "code": "NO_RESULT_SCHEMA",
    "severity": "info",
    "message": "Step 'greet' has no result_schema.",
    "path": "steps[0]",
    "step": "greet",
}
