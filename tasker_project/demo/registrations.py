"""Registrations of `accounts/register_user`, the table of handlers.md 10.4."""

from collections.abc import Mapping
from typing import Any

from tasker_project.demo.case import BLOCKED, Case

STEPS = (
    "create_account",
    "setup_billing",
    "init_preferences",
    "send_welcome",
    "activate_account",
)


def _registration(title: str, context: Mapping[str, Any], **expected: Any) -> Case:
    """Return a registration of `accounts/register_user`."""
    return Case(
        title=title,
        namespace="accounts",
        name="register_user",
        steps=STEPS,
        context=context,
        **expected,
    )


REGISTRATIONS = (
    _registration(
        "Ada registers",
        {
            "email": "ada@example.test",
            "name": "Ada",
            "plan": "team",
            "preferences": {"theme": "dark"},
        },
        results={
            "setup_billing": {"price": 19.0, "trial_days": 14},
            "init_preferences": {"customised": 1, "preferences.theme": "dark"},
            "activate_account": {"status": "active", "messages_sent": 3},
        },
    ),
    _registration(
        "a reserved name",
        {"email": "admin@example.test", "name": "Admin", "plan": "free"},
        state=BLOCKED,
        fails_at="create_account",
        error_code="RESERVED_NAME",
    ),
)
