"""What a decision's result names: read, checked, and refused with a code (engine.md 10.2).

The result of a `decision` step holds `decision_point_outcome`; which steps follow from the named
ones says `closure`, and who writes them is `outcome_processor`.
"""

from typing import Any

from orchestration.conf import engine_settings
from orchestration.errors import InvalidDecisionError
from orchestration.queries.outcomes import Gate
from templates_registry import dag
from templates_registry.schema import TaskTemplate

KEY = "decision_point_outcome"
NO_BRANCHES = "no_branches"
CREATE_STEPS = "create_steps"
NEVER_NAMED = frozenset({"batch_worker", "deferred_convergence"})


def named_steps(gate: Gate, template: TaskTemplate, result: Any) -> tuple[str, ...]:
    """Return the steps that a decision wants, each once; none for `no_branches`.

    Raises `InvalidDecisionError`, which names the offending value.
    """
    names = _read_names(gate, result)
    _check_limits(gate, names)
    allowed = dag.descendants(template.dependencies(), [gate.name])
    for name in names:
        if name not in allowed:
            raise InvalidDecisionError(
                "INVALID_DESCENDANT",
                f"Decision '{gate.name}' names '{name}', no step behind it in '{template}'",
            )
        if template.step(name).type in NEVER_NAMED:
            raise InvalidDecisionError(
                "INVALID_DESCENDANT",
                f"Decision '{gate.name}' names '{name}'; steps of type {template.step(name).type} "
                "are created by the engine when it is their turn",
            )
    return names


def _read_names(gate: Gate, result: Any) -> tuple[str, ...]:
    outcome = result.get(KEY) if isinstance(result, dict) else None
    if not isinstance(outcome, dict):
        raise _missing(gate, f"its result holds no {KEY}")
    if outcome.get("type") == NO_BRANCHES:
        return ()
    if outcome.get("type") != CREATE_STEPS:
        raise _missing(gate, f"the type is {outcome.get('type')!r}")
    names = outcome.get("step_names")
    if not isinstance(names, list):
        raise _missing(gate, f"step_names is {names!r} and no list")
    for name in names:
        if not isinstance(name, str):
            raise _missing(gate, f"step_names holds {name!r}, which is no text")
    return tuple(dict.fromkeys(names))


def _missing(gate: Gate, why: str) -> InvalidDecisionError:
    return InvalidDecisionError(
        "DECISION_OUTCOME_MISSING",
        f"Decision '{gate.name}' said neither {CREATE_STEPS} nor {NO_BRANCHES}: {why}",
    )


def _check_limits(gate: Gate, names: tuple[str, ...]) -> None:
    settings = engine_settings()
    if len(names) > settings.max_steps_per_decision:
        raise InvalidDecisionError(
            "DECISION_LIMIT",
            f"Decision '{gate.name}' names {len(names)} steps; the setting "
            f"max_steps_per_decision allows {settings.max_steps_per_decision}",
        )
    if names and gate.origin_depth + 1 > settings.max_decision_depth:
        raise InvalidDecisionError(
            "DECISION_LIMIT",
            f"Decision '{gate.name}' is number {gate.origin_depth + 1} in a row of decisions and "
            "batches that created each other; the setting max_decision_depth allows "
            f"{settings.max_decision_depth}",
        )
