"""A decision or batchable step is done: what it asked for becomes steps of its task (engine.md 10).

`decision_point` and `batch_processor` read the outcome, `closure` says what follows from it,
`workflow_builder` makes the rows. The caller, a result transaction or an operator's action, holds
the task, moves the gate itself, and evaluates the task afterwards. A refused outcome leaves nothing
behind: it is carried out in a savepoint.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from pydantic_core import from_json

from orchestration import metrics
from orchestration.errors import InvalidBatchError, InvalidDecisionError, InvalidOutcomeError
from orchestration.lifecycle import batch_processor, decision_point
from orchestration.lifecycle.closure import GATE_TYPES, Present, grow
from orchestration.lifecycle.workflow_builder import Batches, extension
from orchestration.queries import outcomes
from orchestration.queries.outcomes import Gate
from orchestration.queries.template_names import template_name
from orchestration.states import StepType
from templates_registry import registry
from templates_registry.conf import registry_settings
from templates_registry.schema import TaskTemplate

log = logging.getLogger(__name__)


class Spoken(NamedTuple):
    """What became of one gate's outcome: the number of new steps, or the refusal."""

    gate: Gate
    step_count: int = 0
    error: InvalidOutcomeError | None = None

    @property
    def failed_results(self) -> str | None:
        """The execution result (6.3) of a gate whose outcome was refused, None of any other."""
        return None if self.error is None else _failed_results(self.gate, self.error)


def is_gate(step_type: str) -> bool:
    """Tell whether a step of this type says what follows from it."""
    return step_type in GATE_TYPES


def process_reported(step_uuids: Sequence[UUID]) -> dict[UUID, Spoken]:
    """Carry out the outcomes of gates whose success was reported, one after the other.

    A refused one counts as not having spoken for those after it. No statement without gates.
    """
    if not step_uuids:
        return {}
    gates = outcomes.find_gates(step_uuids)
    spoken: dict[UUID, Spoken] = {}
    finished: list[UUID] = []
    for gate in (gates[step_uuid] for step_uuid in step_uuids):
        result = from_json(gate.results).get("result") if gate.results else None
        try:
            count = carry_out(gate, result, finished=[*finished, gate.step_uuid])
        except InvalidOutcomeError as error:
            spoken[gate.step_uuid] = Spoken(gate, error=error)
        else:
            finished.append(gate.step_uuid)
            spoken[gate.step_uuid] = Spoken(gate, count)
    return spoken


def process_supplied(step_uuid: UUID, result: Any) -> None:
    """Carry out the outcome that an operator supplied for a gate, which is complete already.

    Raises `InvalidOutcomeError`.
    """
    carry_out(outcomes.find_gates([step_uuid])[step_uuid], result)


def process_none(step_uuid: UUID) -> None:
    """Let the task of a resolved gate go on: nothing is wanted, nobody waits for it any more."""
    gate = outcomes.find_gates([step_uuid])[step_uuid]
    _add(gate, _template(gate))


def carry_out(gate: Gate, result: Any, *, finished: Sequence[UUID] = ()) -> int:
    """Create what a gate's result asks for and what follows from it; return the number of steps.

    Steps in `finished` count as done although they are yet to be moved. Raises
    `InvalidOutcomeError`, and then nothing was created.
    """
    template = _template(gate)
    with transaction.atomic():
        if gate.step_type == StepType.DECISION:
            names = decision_point.named_steps(gate, template, result)
            return _add(gate, template, names, finished=finished)
        if gate.has_batches:
            return 0
        batches = batch_processor.read_batches(gate, template, result)
        started = () if batches is None else (batches.worker,)
        return _add(gate, template, started, batches=batches, finished=finished)


def _template(gate: Gate) -> TaskTemplate:
    return registry.revision(gate.named_task_uuid, gate.digest)


def _add(
    gate: Gate,
    template: TaskTemplate,
    started: Sequence[str] = (),
    *,
    batches: Batches | None = None,
    finished: Sequence[UUID] = (),
) -> int:
    """Create what is to be started and what follows from it; return the number of steps."""
    there = outcomes.present_steps(gate.task_uuid, finished=finished)
    present = {each.template_step: Present(each.is_dynamic, each.is_done) for each in there}
    growth = grow(template, present, finished=gate.name, started=started)
    if not growth.steps:
        return 0
    new = extension(template, growth, batches)
    if started:  # what nobody asked for is not refused
        _check_size(gate, sum(each.step_count for each in there) + len(new.steps))
    created = outcomes.add_steps(gate, new)
    if batches is not None and not batches.is_no_op:
        _check_instances(gate, batches, created)
    return len(created)


def _check_size(gate: Gate, step_count: int) -> None:
    allowed = registry_settings().max_steps_per_task
    if step_count > allowed:
        text = (
            f"'{gate.name}' would let its task grow to {step_count} steps; the setting "
            f"max_steps_per_task allows {allowed}"
        )
        if gate.step_type == StepType.DECISION:
            raise InvalidDecisionError("DECISION_LIMIT", text)
        raise InvalidBatchError("BATCH_LIMIT", text)


def _check_instances(gate: Gate, batches: Batches, created: set[str]) -> None:
    """Refuse a batch whose name the task has already, from another analyser of the same worker."""
    for instance in batches.instances:
        if instance.name not in created:
            raise batch_processor.name_taken(gate, instance.name)


def _failed_results(gate: Gate, error: InvalidOutcomeError) -> str:
    """Return the handler's execution result turned into a permanent failure of the engine."""
    results = from_json(gate.results or "{}")
    told = {"retryable": False, "error_type": error.error_type, "error_code": error.code}
    results |= {
        "success": False,
        "status": "error",
        "metadata": {**(results.get("metadata") or {}), **told},
        "error": {
            "message": error.message,
            **told,
            "backtrace": [],
            "status_code": None,
            "context": {},
        },
    }
    return json.dumps(results)


def _count(each: Spoken) -> None:
    namespace = template_name(each.gate.named_task_uuid).namespace
    if each.gate.step_type == StepType.DECISION:
        outcome = "create_steps" if each.step_count else "no_branches"
        outcome = "invalid" if each.error is not None else outcome
        metrics.DECISIONS.add(namespace=namespace, outcome=outcome)
    else:
        metrics.BATCH_WORKERS_CREATED.add(each.step_count, namespace=namespace)


_APPLIED = {StepType.DECISION.value: "decision.applied", StepType.BATCHABLE.value: "batch.created"}
_INVALID = {StepType.DECISION.value: "decision.invalid", StepType.BATCHABLE.value: "batch.invalid"}


def log_spoken(spoken: Iterable[Spoken], correlations: Mapping[UUID, str]) -> None:
    """Count and log outcomes, with the correlation ids of tasks; call it after the commit."""
    for each in spoken:
        gate = each.gate
        _count(each)
        said: dict[str, Any] = {
            "correlation_id": correlations.get(gate.task_uuid),
            "task_uuid": gate.task_uuid,
            "step_uuid": gate.step_uuid,
            "namespace": template_name(gate.named_task_uuid).namespace,
            "step": gate.name,
        }
        if each.error is not None:
            said |= {"code": each.error.code, "error": each.error.message}
            log.error(_INVALID[gate.step_type], extra=said)
        elif each.step_count or gate.step_type == StepType.DECISION:
            log.info(_APPLIED[gate.step_type], extra=said | {"count": each.step_count})
        else:
            log.warning("batch.skipped", extra=said)
