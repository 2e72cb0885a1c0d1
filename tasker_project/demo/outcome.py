"""What became of a case, and how that differs from what was expected. Pure functions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasker_project.demo.case import Case

DONE = "complete"
FAILED = "error"
UNTOUCHED = "pending"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of one task, in the words of the table."""

    title: str
    workflow: str
    task_uuid: str
    state: str
    steps: str
    attempts: str
    seconds: float
    facts: str
    differences: tuple[str, ...]


def conclude(case: Case, task: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Outcome:
    """Compare a task that rests with its case."""
    done = sum(step["current_state"] == DONE for step in steps)
    return Outcome(
        title=case.title,
        workflow=case.workflow,
        task_uuid=task["task_uuid"],
        state=task["status"],
        steps=f"{done}/{len(steps)}",
        attempts=" ".join(str(step["attempts"]) for step in steps),
        seconds=_seconds(task),
        facts=_facts(case, steps),
        differences=tuple(differences(case, task, steps)),
    )


def differences(
    case: Case, task: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Yield in one sentence each what is not as expected."""
    if task["status"] != case.state:
        yield f"the task is {task['status']}, expected {case.state}"
    by_name = {step["name"]: step for step in steps}
    if sorted(by_name) != sorted(case.steps):
        yield f"the steps are {', '.join(by_name)}, expected {', '.join(case.steps)}"
        return
    for name in case.steps:
        yield from _step_differences(case, by_name[name])


def _step_differences(case: Case, step: Mapping[str, Any]) -> Iterator[str]:
    name = step["name"]
    state, attempts = _expected(case, name)
    if step["current_state"] != state:
        yield f"{name} is {step['current_state']}, expected {state}"
    if step["attempts"] != attempts:
        yield f"{name} took {step['attempts']} attempts, expected {attempts}"
    if name == case.fails_at and _error_code(step) != case.error_code:
        yield f"{name} failed with {_error_code(step)}, expected {case.error_code}"
    for path, value in case.results.get(name, {}).items():
        if (found := _result(step, path)) != value:
            yield f"{name}: {path} is {found!r}, expected {value!r}"


def _expected(case: Case, name: str) -> tuple[str, int]:
    """Return the state and the attempts of a step; what comes after a failure is not touched."""
    if not case.fails_at or case.steps.index(name) < case.steps.index(case.fails_at):
        return DONE, case.attempts.get(name, 1)
    return (FAILED, 1) if name == case.fails_at else (UNTOUCHED, 0)


def _error_code(step: Mapping[str, Any]) -> Any:
    return ((step["results"] or {}).get("metadata") or {}).get("error_code")


def _result(step: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path of a step's result, None where the path ends early."""
    found: Any = (step["results"] or {}).get("result")
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _facts(case: Case, steps: Sequence[Mapping[str, Any]]) -> str:
    """Return the most telling values: the failure, or what was computed last of each kind."""
    for step in steps:
        if step["current_state"] == FAILED:
            return f"{step['name']}: {_error_code(step)}"
    found: dict[str, Any] = {}
    for step in steps:
        for path in case.results.get(step["name"], {}):
            found[path.rpartition(".")[2]] = _result(step, path)
    return ", ".join(f"{name} {_written(value)}" for name, value in found.items())


def _written(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _seconds(task: Mapping[str, Any]) -> float:
    began = datetime.fromisoformat(task["created_at"])
    ended = datetime.fromisoformat(task["completed_at"] or task["updated_at"])
    return (ended - began).total_seconds()
