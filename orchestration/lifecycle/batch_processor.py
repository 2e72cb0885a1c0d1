"""Which batches an analyser's result asks for: read, checked, refused with a code (engine.md 10.3).

The result of a `batchable` step holds `batch_processing_outcome`. Each of its cursors becomes an
instance of a batch worker; without any, one placeholder keeps the aggregation going where the
template wants that. What follows from the instances says `closure`, and who writes them is
`outcome_processor`.
"""

import logging
from collections.abc import Iterable
from typing import Any

from orchestration.conf import engine_settings
from orchestration.errors import InvalidBatchError
from orchestration.lifecycle.workflow_builder import Batches, Instance
from orchestration.queries.outcomes import Gate
from templates_registry import dag
from templates_registry.schema import BatchConfig, StepTemplate, TaskTemplate

log = logging.getLogger(__name__)

KEY = "batch_processing_outcome"
NO_BATCHES = "no_batches"
CREATE_BATCHES = "create_batches"
PLACEHOLDER_ID = "000"
PLACEHOLDER = {"start_cursor": 0, "end_cursor": 0, "batch_size": 0}
MAX_BATCH_ID = 64


def read_batches(gate: Gate, template: TaskTemplate, result: Any) -> Batches | None:
    """Return the batches that an analyser wants, None when there is nothing to create.

    Raises `InvalidBatchError`, which names the offending value.
    """
    outcome = result.get(KEY) if isinstance(result, dict) else None
    if not isinstance(outcome, dict):
        raise _missing(gate, f"its result holds no {KEY}")
    if outcome.get("type") == NO_BATCHES:
        return _placeholder(gate, template)
    if outcome.get("type") != CREATE_BATCHES:
        raise _missing(gate, f"the type is {outcome.get('type')!r}")
    cursors = outcome.get("cursor_configs")
    if not isinstance(cursors, list) or not all(isinstance(each, dict) for each in cursors):
        raise _missing(gate, "cursor_configs is no list of objects")
    if not cursors:
        return _placeholder(gate, template)
    _note_other_count(gate, outcome.get("worker_count"), len(cursors))
    _check_limit(gate, len(cursors))
    worker = _worker(gate, template, outcome.get("worker_template_name"))
    ids = _batch_ids(gate, cursors)
    _check_names(gate, template, worker, ids)
    return Batches(worker.name, list(_instances(worker, ids, cursors)))


def name_taken(gate: Gate, name: str) -> InvalidBatchError:
    """Return the error of a batch whose step would bear the name of another one."""
    return InvalidBatchError(
        "BATCH_ID_DUPLICATE",
        f"'{gate.name}' asks for the step '{name}', but another step bears that name",
    )


def _placeholder(gate: Gate, template: TaskTemplate) -> Batches | None:
    name = template.step(gate.name).handler.initialization.get("worker_template_name")
    if name is None:
        return None
    worker = _worker(gate, template, name)
    instances = list(_instances(worker, [PLACEHOLDER_ID], [PLACEHOLDER], is_no_op=True))
    return Batches(worker.name, instances, is_no_op=True)


def _missing(gate: Gate, why: str) -> InvalidBatchError:
    return InvalidBatchError(
        "BATCH_OUTCOME_MISSING",
        f"'{gate.name}' said neither {CREATE_BATCHES} nor {NO_BATCHES}: {why}",
    )


def _note_other_count(gate: Gate, said: Any, count: int) -> None:
    if said is not None and said != count:
        log.warning(
            "batch.count_differs",
            extra={"task_uuid": gate.task_uuid, "step": gate.name, "said": said, "count": count},
        )


def _check_limit(gate: Gate, count: int) -> None:
    allowed = engine_settings().max_batches_per_step
    if count > allowed:
        raise InvalidBatchError(
            "BATCH_LIMIT",
            f"'{gate.name}' asks for {count} batches; the setting max_batches_per_step allows "
            f"{allowed}",
        )


def _worker(gate: Gate, template: TaskTemplate, name: Any) -> StepTemplate:
    """Return the batch worker of a name; it stands behind the analyser, or nothing would wait."""
    worker = template.steps_by_name.get(name) if isinstance(name, str) else None
    behind = dag.descendants(template.dependencies(), [gate.name])
    if worker is None or worker.type != "batch_worker" or worker.name not in behind:
        raise InvalidBatchError(
            "BATCH_TEMPLATE_UNKNOWN",
            f"'{gate.name}' names {name!r}, no batch_worker step behind it in '{template}'",
        )
    return worker


def _batch_ids(gate: Gate, cursors: Iterable[dict[str, Any]]) -> list[str]:
    ids: dict[str, None] = {}
    for cursor in cursors:
        batch_id = _as_text(cursor.get("batch_id"))
        if batch_id is None or not 1 <= len(batch_id) <= MAX_BATCH_ID:
            raise InvalidBatchError(
                "BATCH_ID_INVALID",
                f"'{gate.name}' gives the batch_id {cursor.get('batch_id')!r}, neither text "
                f"of 1 to {MAX_BATCH_ID} characters nor a number",
            )
        if batch_id in ids:
            raise InvalidBatchError(
                "BATCH_ID_DUPLICATE", f"'{gate.name}' gives the batch_id {batch_id!r} twice"
            )
        ids[batch_id] = None
    return list(ids)


def _as_text(batch_id: Any) -> str | None:
    if isinstance(batch_id, bool) or not isinstance(batch_id, str | int | float):
        return None
    return str(batch_id)


def _check_names(gate: Gate, template: TaskTemplate, worker: StepTemplate, ids: list[str]) -> None:
    """Refuse a batch that would bear the name of a template step, there already or not."""
    for batch_id in ids:
        if _instance_name(worker, batch_id) in template.steps_by_name:
            raise name_taken(gate, _instance_name(worker, batch_id))


def _instance_name(worker: StepTemplate, batch_id: str) -> str:
    return f"{worker.name}_{batch_id}"


def _instances(
    worker: StepTemplate,
    ids: list[str],
    cursors: list[dict[str, Any]],
    *,
    is_no_op: bool = False,
) -> Iterable[Instance]:
    """Yield one instance per cursor; its inputs go on top of the worker's initialization."""
    config = worker.batch_config or BatchConfig()
    for index, (batch_id, cursor) in enumerate(zip(ids, cursors, strict=True)):
        metadata = {
            "cursor_field": config.cursor_field,
            "failure_strategy": config.failure_strategy,
            "batch_index": index,
            "total_batches": len(ids),
        }
        inputs = {
            "cursor": cursor | {"batch_id": batch_id},
            "batch_metadata": metadata,
            "is_no_op": is_no_op,
            "__template_step_name": worker.name,
        }
        yield Instance(_instance_name(worker, batch_id), batch_id, index, len(ids), inputs)
