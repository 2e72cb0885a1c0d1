"""Plans: what is the same for all dispatches of a template step.

They are kept by template digest and step name: content under a digest never changes.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from orchestration.conf import engine_settings
from orchestration.queries.steps import Claim
from templates_registry import registry as templates
from templates_registry.schema import StepTemplate
from workers.domain_events.declarations import Declared, declared_by
from workers.registry import HandlerDefinition
from workers.results.schema_check import checker

MAX_PLANS = 10_000


class Plan(NamedTuple):
    """Everything about a template step that is the same for all its dispatches."""

    step: StepTemplate
    definition: HandlerDefinition
    check_result: Callable[[Any], str | None] | None
    events: Sequence[Declared] = ()


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
    check = checker(step.result_schema) if is_wanted and step.result_schema is not None else None
    return Plan(step, HandlerDefinition.from_step(step), check, declared_by(step))
