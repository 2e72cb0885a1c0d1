"""An example of what each call answers, for the OpenAPI document.

One story: the order of a shop whose card was refused. A test holds every example to the schema of
its call, and every call to having one.
"""

from collections.abc import Mapping
from typing import Any

from orchestration.api.example_rows import (
    AT,
    DLQ_ENTRY,
    ENTRY_UUID,
    FINDING,
    GREETING,
    LATER,
    STEP,
    STEP_UUID,
    TASK,
    TASK_UUID,
    TEMPLATE_LINE,
)

NODE = {"id": "charge_card", "name": "charge_card", "step_type": "standard", "level": 1}
EDGE = {"from": "reserve_stock", "to": "charge_card"}
SLOW = {
    "namespace_name": "order_fulfillment",
    "task_name": "process_order",
    "version": "1.0.0",
    "average_duration_seconds": 2.4,
    "max_duration_seconds": 31.2,
    "execution_count": 1042,
    "error_count": 21,
    "error_rate": 0.0202,
    "last_executed_at": LATER,
}
ANSWERS: Mapping[str, Any] = {
    "create_task": TASK,
    "create_tasks": {
        "tasks": [
            {
                "task_uuid": uuid,
                "correlation_id": TASK["correlation_id"],
                "status": "steps_in_process",
                "created": is_new,
            }
            for uuid, is_new in ((TASK_UUID, False), (ENTRY_UUID, True))
        ]
    },
    "get_task": TASK,
    "act_on_task": TASK,
    "cancel_task": {**TASK, "status": "cancelled", "is_terminal": True, "completed_at": LATER},
    "list_tasks": {
        "tasks": [{**TASK, "context": None, "steps": []}],
        "pagination": {
            "page": 1,
            "per_page": 25,
            "total_count": 1,
            "total_pages": 1,
            "total_is_estimate": False,
            "has_next": False,
            "has_previous": False,
        },
    },
    "get_task_context": {
        "task_uuid": TASK_UUID,
        "context": TASK["context"],
        "options": TASK["options"],
    },
    "get_task_summary": {
        "task": {
            name: value
            for name, value in TASK.items()
            if name
            not in {"context", "options", "initiator", "source_system", "reason", "tags", "steps"}
        },
        "template": {
            "name": "process_order",
            "namespace": "order_fulfillment",
            "version": "1.0.0",
            "steps": [
                {
                    "name": "charge_card",
                    "step_type": "standard",
                    "handler": "shop.charge_card",
                    "dependencies": ["reserve_stock"],
                    "retryable": True,
                    "max_attempts": 3,
                }
            ],
        },
        "steps": [
            {
                "step_uuid": STEP_UUID,
                "name": "charge_card",
                "current_state": "error",
                "created_at": AT,
                "completed_at": None,
                "last_attempted_at": LATER,
                "attempts": 3,
                "max_attempts": 3,
                "dependencies_satisfied": True,
                "retry_eligible": False,
                "error": {"error_type": "CardRefused", "retryable": False, "status_code": 402},
            }
        ],
        "dlq": {"in_dlq": True, "dlq_reason": "manual_dlq", "resolution_status": "pending"},
        "links": {
            "task": f"/v1/tasks/{TASK_UUID}",
            "steps": f"/v1/tasks/{TASK_UUID}/workflow_steps",
            "dlq": f"/v1/dlq/task/{TASK_UUID}",
        },
    },
    "list_transitions": [
        {
            "subject": "step",
            "step_uuid": STEP_UUID,
            "step_name": "charge_card",
            "sort_key": 7,
            "from_state": "enqueued_as_error_for_orchestration",
            "to_state": "error",
            "event": "fail",
            "created_at": LATER,
            "duration_ms": 12,
            "processor_uuid": None,
            "worker_uuid": None,
            "attempt": 3,
            "actor": f"system:{ENTRY_UUID}",
            "reason": None,
            "metadata": {},
        }
    ],
    "get_task_graph": {
        "nodes": [
            {
                **NODE,
                "step_uuid": STEP_UUID,
                "state": "error",
                "attempts": 3,
                "untraversed": False,
            }
        ],
        "edges": [{**EDGE, "satisfied": True}],
    },
    "list_steps": [STEP],
    "get_step": STEP,
    "act_on_step": {**STEP, "current_state": "pending", "attempts": 0},
    "list_step_audit": [
        {
            "audit_uuid": ENTRY_UUID,
            "workflow_step_uuid": STEP_UUID,
            "transition_uuid": ENTRY_UUID,
            "task_uuid": TASK_UUID,
            "recorded_at": LATER,
            "worker_uuid": ENTRY_UUID,
            "correlation_id": TASK["correlation_id"],
            "attempt": 3,
            "success": False,
            "execution_time_ms": 240,
            "result": STEP["results"],
            "step_name": "charge_card",
            "from_state": "in_progress",
            "to_state": "enqueued_as_error_for_orchestration",
        }
    ],
    "list_templates": {
        "namespaces": [
            {"name": "order_fulfillment", "description": "The shop.", "template_count": 1}
        ],
        "templates": [TEMPLATE_LINE],
        "total_count": 1,
    },
    "list_template_versions": [
        {**TEMPLATE_LINE, "created_at": AT, "updated_at": AT, "retired_at": None}
    ],
    "get_template": {
        "name": "greeting",
        "namespace": "examples",
        "version": "1.0.0",
        "description": None,
        "configuration": GREETING,
        "steps": [
            {
                "name": "greet",
                "description": None,
                "default_retryable": True,
                "default_max_attempts": 3,
            }
        ],
    },
    "get_template_graph": {"nodes": [NODE], "edges": [EDGE]},
    "validate_template": {
        "valid": True,
        "findings": [FINDING],
        "step_count": 1,
        "has_cycles": False,
    },
    "get_configuration": {
        "environment": "production",
        "version": "1.0.0",
        "settings": {
            "LEASE_SECONDS": {
                "value": 20,
                "source": "environment",
                "variable": "TASKER_LEASE_SECONDS",
            },
            "METRICS_TOKEN": {
                "value": "***",
                "source": "environment",
                "variable": "TASKER_METRICS_TOKEN",
            },
        },
    },
    "list_workers": [
        {
            "worker_uuid": STEP_UUID,
            "kind": "worker",
            "name": "shop-7c9f-21-a1b2",
            "hostname": "shop-7c9f",
            "pid": 21,
            "version": "1.0.0",
            "environment": "production",
            "namespaces": ["order_fulfillment"],
            "deployment_mode": "Hybrid",
            "status": "running",
            "slots": 10,
            "running": 3,
            "started_at": AT,
            "last_heartbeat_at": LATER,
            "report": {},
        }
    ],
    "list_handlers": [
        {"callable": "shop.charge_card", "namespaces": ["order_fulfillment"], "workers": 3}
    ],
    "get_performance": {
        "total_tasks": 1200,
        "active_tasks": 14,
        "completed_tasks": 1176,
        "failed_tasks": 24,
        "completion_rate": 0.98,
        "error_rate": 0.02,
        "average_task_duration_seconds": 4.318,
        "average_step_duration_seconds": 0.742,
        "tasks_per_hour": 50.0,
        "steps_per_hour": 245.125,
        "system_health_score": 0.98,
        "analysis_period_start": AT,
        "calculated_at": LATER,
    },
    "get_bottlenecks": {
        "slow_steps": [{**SLOW, "step_name": "charge_card"}],
        "slow_tasks": [{**SLOW, "average_step_count": 5.0}],
        "resource_utilization": {
            "database_pool_utilization": 0.2,
            "system_health": {
                "health_score": 0.97,
                "under_heavy_load": False,
                "active_connections": 24,
                "max_connections": 200,
            },
        },
        "recommendations": [],
    },
    "list_dlq_entries": [DLQ_ENTRY],
    "get_dlq_entry_of_task": DLQ_ENTRY,
    "create_dlq_entry": DLQ_ENTRY,
    "change_dlq_entry": {
        "success": True,
        "message": f"DLQ entry {ENTRY_UUID} was changed; it is manually_resolved",
        "dlq_entry_uuid": ENTRY_UUID,
    },
    "get_dlq_stats": [
        {
            "dlq_reason": "manual_dlq",
            "total": 4,
            "pending": 1,
            "manually_resolved": 2,
            "permanently_failed": 1,
            "cancelled": 0,
            "oldest_entry": AT,
            "newest_entry": LATER,
            "avg_resolution_minutes": 37.5,
        }
    ],
    "list_investigations": [{**DLQ_ENTRY, "minutes_in_dlq": 12.5, "priority_score": 32.5}],
    "list_staleness": [
        {
            "task_uuid": TASK_UUID,
            "namespace": "order_fulfillment",
            "name": "process_order",
            "state": "waiting_for_dependencies",
            "minutes_in_state": 51.2,
            "threshold_minutes": 60,
            "health": "warning",
        }
    ],
}
"""Operation → body of its success."""
