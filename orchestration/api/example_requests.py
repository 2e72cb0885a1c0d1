"""Examples of what is sent to each call that takes a body; see `examples.py`."""

from collections.abc import Mapping
from typing import Any

from orchestration.api.example_rows import GREETING, GREETING_YAML, TASK

REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "create_task": {
        "As published for Tasker Core": {
            "template_name": "process_order",
            "namespace": "order_fulfillment",
            "configuration": {"customer": {"id": "c-1"}, "items": [{"sku": "A-1", "quantity": 2}]},
        },
        "With a key": {
            "name": "process_order",
            "namespace": "order_fulfillment",
            "context": TASK["context"],
            "priority": 5,
            "tags": ["web"],
            "idempotency_key": "order-1042",
        },
    },
    "create_tasks": {
        "Two orders": {
            "tasks": [
                {
                    "name": "process_order",
                    "namespace": "order_fulfillment",
                    "context": TASK["context"],
                    "idempotency_key": f"order-{number}",
                }
                for number in (1042, 1043)
            ]
        }
    },
    "act_on_task": {
        "Retry": {"action_type": "retry_failed_steps", "reason": "the bank answers again"},
        "Give up": {"action_type": "give_up", "reason": "the customer cancelled"},
    },
    "act_on_step": {
        "Reset": {"action_type": "reset_for_retry", "reason": "the bank answers again"},
        "Complete": {
            "action_type": "complete_manually",
            "reason": "paid in the shop",
            "completed_by": "ann",
            "completion_data": {"result": {"paid_cents": 4200}},
        },
    },
    "create_dlq_entry": {"Open": {"notes": "The bank has refused this card for two days."}},
    "change_dlq_entry": {
        "Close": {"resolution_status": "manually_resolved", "resolution_notes": "Card replaced."}
    },
    "validate_template": {
        "As an object": {"template": GREETING},
        "As YAML": {"template": GREETING_YAML},
    },
}
"""Operation → name → body."""
