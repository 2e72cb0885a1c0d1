"""The example `accounts/register_user`: decorated functions, one of them asynchronous.

create_account → (setup_billing and init_preferences at once) → send_welcome → activate_account; the
template is in `templates_registry/templates/examples/`.
"""

import asyncio
from decimal import Decimal
from typing import Any, NamedTuple

from workers.context import StepContext
from workers.errors import PermanentError
from workers.examples.money import as_number, derived_id
from workers.handlers.functional import depends_on, inputs, step_handler


class Plan(NamedTuple):
    """What a plan costs, and what its customers are sent."""

    price: Decimal
    trial_days: int
    billing_status: str
    messages: tuple[str, ...]


PLANS = {
    "free": Plan(Decimal("0.00"), 0, "not_required", ("welcome", "verify")),
    "team": Plan(Decimal("19.00"), 14, "trial", ("welcome", "verify", "trial_started")),
    "business": Plan(
        Decimal("49.00"), 30, "trial", ("welcome", "verify", "trial_started", "manager_intro")
    ),
}
PREFERENCES = {
    "theme": "light",
    "language": "en",
    "timezone": "UTC",
    "digest": "weekly",
    "marketing": True,
    "beta": False,
}
RESERVED_NAMES = frozenset({"admin", "root", "postmaster"})
DISPOSABLE_DOMAINS = frozenset({"trash.example"})
SHORTEST_NAME = 2
SERVICES = ["accounts", "billing", "preferences", "mail"]


@step_handler("accounts.create_account")
@inputs("email", "name", "plan")
def create_account(email: Any, name: Any, plan: Any, context: StepContext) -> dict[str, Any]:
    """Open the account; everything that is wrong with a registration ends here."""
    address = require_address(email)
    if not isinstance(name, str) or len(name.strip()) < SHORTEST_NAME:
        raise PermanentError(
            f"A name has at least {SHORTEST_NAME} letters.", error_code="NAME_TOO_SHORT"
        )
    require_plan(plan)
    return {
        "user_id": derived_id("USR", context.task_uuid),
        "email": address,
        "name": name.strip(),
        "plan": plan,
        "status": "created",
    }


@step_handler("accounts.setup_billing")
@depends_on(account="create_account")
def setup_billing(account: dict[str, Any], context: StepContext) -> dict[str, Any]:
    """Set up what the plan costs."""
    plan = require_plan(account["plan"])
    return {
        "billing_id": derived_id("BIL", context.task_uuid),
        "plan": account["plan"],
        "price": as_number(plan.price),
        "trial_days": plan.trial_days,
        "status": plan.billing_status,
    }


@step_handler("accounts.init_preferences")
@depends_on(account="create_account")
@inputs("preferences")
async def init_preferences(account: dict[str, Any], preferences: Any) -> dict[str, Any]:
    """Lay the given preferences over the defaults."""
    await asyncio.sleep(0)  # where a real service would be asked
    given = preferences if isinstance(preferences, dict) else {}
    defaults = {**PREFERENCES, "marketing": account["plan"] != "business"}
    return {
        "user_id": account["user_id"],
        "preferences": {**defaults, **given},
        "customised": len(given),
    }


@step_handler("accounts.send_welcome")
@depends_on(account="create_account", billing="setup_billing", preferences="init_preferences")
def send_welcome(
    account: dict[str, Any], billing: dict[str, Any], preferences: dict[str, Any]
) -> dict[str, Any]:
    """Send the plan's messages, in the user's language."""
    messages = require_plan(billing["plan"]).messages
    return {
        "recipient": account["email"],
        "language": preferences["preferences"]["language"],
        "messages": list(messages),
        "messages_sent": len(messages),
    }


@step_handler("accounts.activate_account")
@depends_on(account="create_account", welcome="send_welcome")
def activate_account(account: dict[str, Any], welcome: dict[str, Any]) -> dict[str, Any]:
    """Activate the account once everything stands."""
    return {
        "user_id": account["user_id"],
        "status": "active",
        "services": SERVICES,
        "messages_sent": welcome["messages_sent"],
    }


def require_address(email: Any) -> str:
    """Return a usable address in lower case, or refuse it for good."""
    address = email.strip().lower() if isinstance(email, str) else ""
    local, _, domain = address.partition("@")
    if not local or "." not in domain.strip(".") or "@" in domain or " " in address:
        raise PermanentError(f"{email!r} is no email address.", error_code="INVALID_EMAIL")
    if local in RESERVED_NAMES:
        raise PermanentError(f"The name '{local}' is reserved.", error_code="RESERVED_NAME")
    if domain in DISPOSABLE_DOMAINS:
        raise PermanentError(
            f"Addresses at {domain} are not accepted.", error_code="DISPOSABLE_DOMAIN"
        )
    return address


def require_plan(plan: Any) -> Plan:
    """Return a plan, or refuse an unknown one for good."""
    if not isinstance(plan, str) or plan not in PLANS:
        raise PermanentError(
            f"There is no plan {plan!r}; there are {', '.join(PLANS)}.", error_code="UNKNOWN_PLAN"
        )
    return PLANS[plan]
