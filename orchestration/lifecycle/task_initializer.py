"""Requests become tasks: identities, rows, first messages, in one transaction.

The transaction may be the caller's own: then the tasks exist, and their first messages are visible,
exactly when the caller commits. Any failure leaves nothing behind (engine.md 7.1). One task and a
thousand are the same code: those that share template, actor and reason are written together.
"""

import logging
import time
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from orchestration import metrics
from orchestration.conf import engine_settings
from orchestration.errors import DuplicateTaskError, located
from orchestration.lifecycle.step_enqueuer import note_enqueued
from orchestration.lifecycle.task_draft import (
    Asked,
    Draft,
    Find,
    batches,
    by_move,
    count_request,
    draft_all,
)
from orchestration.lifecycle.task_finalizer import (
    Cause,
    Goal,
    Question,
    evaluate,
    log_answers,
    path_to,
)
from orchestration.lifecycle.task_request import TaskRequest, place_of
from orchestration.messaging.messages import worker_queue
from orchestration.queries import readiness, tasks
from orchestration.queries.readiness import TaskContext
from orchestration.queries.steps import EnqueuedStep
from orchestration.queries.tasks import IdentityHolder, Move, NewTask, NewTasks
from orchestration.queries.transactions import atomically
from orchestration.runtime.log_context import log_often
from orchestration.states import TaskState
from templates_registry import registry
from templates_registry.registry import FoundTemplate

log = logging.getLogger(__name__)

FIRST_PATH = path_to(Goal.ENQUEUE, TaskState.PENDING, Cause.CREATION)
"""The way of a new task whose first steps are enqueued."""


class CreatedTask(NamedTuple):
    """The task that answers a request; `created` is False when it was there before."""

    task_uuid: UUID
    correlation_id: UUID
    state: str
    created: bool


def create(
    request: TaskRequest,
    *,
    actor: str,
    start: bool = True,
    found: FoundTemplate | None = None,
    suggest_from: Collection[str] | None = None,
) -> CreatedTask:
    """Create a task, or find the one that the same request made before.

    Raises `NotFoundError` (template), `InvalidRequestError` (context, bypassed steps, missing key)
    and `DuplicateTaskError` (another task holds the identity). With `start=False`, or while the
    namespace is backlogged, the task waits for discovery. `found` is the template as the caller has
    found it for another environment than this process's. For an unknown template similar ones are
    named, of the namespaces in `suggest_from` only where that is given.
    """
    find = _finder(suggest_from) if found is None else lambda *wanted: found
    return _create([Asked(request, actor)], find, start=start)[0]


def create_many(
    requests: Sequence[TaskRequest],
    *,
    actor: str | None = None,
    start: bool = True,
    suggest_from: Collection[str] | None = None,
) -> list[CreatedTask]:
    """Create the tasks of many requests, all or none; the answers stand in the requests' order.

    Raises as `create` does, with the place of the request (`tasks[3]`); a request may repeat an
    earlier one of the same call. Without an actor each request's initiator is it.
    """
    return _create(_asked(requests, actor), _finder(suggest_from), start=start)


def find_replay(
    request: TaskRequest, *, suggest_from: Collection[str] | None = None
) -> CreatedTask | None:
    """Return the task that the same request with the same key made before, None without one.

    Writes nothing. Raises `NotFoundError` (template), and `DuplicateTaskError` when another request
    took the key.
    """
    found = _find_replays([Asked(request, "")], _finder(suggest_from))
    return found[0] if found else None


def find_replays(
    requests: Sequence[TaskRequest], *, suggest_from: Collection[str] | None = None
) -> list[CreatedTask] | None:
    """Return what `find_replay` does for each of many requests, None unless all have one."""
    return _find_replays(_asked(requests, None), _finder(suggest_from))


def _asked(requests: Sequence[TaskRequest], actor: str | None) -> list[Asked]:
    return [
        Asked(request, actor or request.initiator, place_of(number))
        for number, request in enumerate(requests)
    ]


def _finder(suggest_from: Collection[str] | None) -> Find:
    return partial(registry.find, suggest_from=suggest_from)


def _find_replays(asked: Sequence[Asked], find: Find) -> list[CreatedTask] | None:
    if any(each.request.idempotency_key is None for each in asked):
        return None
    drafts = draft_all(asked, find)
    holders = tasks.holders_of_identities(draft.identity_hash for draft in drafts)
    if any(draft.identity_hash not in holders for draft in drafts):
        return None
    return [_repeated(draft, holders[draft.identity_hash]) for draft in drafts]


def _create(asked: Sequence[Asked], find: Find, *, start: bool) -> list[CreatedTask]:
    began = time.perf_counter()
    created = atomically(lambda: _create_or_find(asked, find, start=start))
    share_ms = (time.perf_counter() - began) * 1000 / max(len(asked), 1)
    for each, task in zip(asked, created, strict=True):
        count_request(each.request, "created" if task.created else "replayed")
        metrics.TASK_INITIALIZATION.observe(share_ms, namespace=each.request.namespace)
    return created


def _create_or_find(asked: Sequence[Asked], find: Find, *, start: bool) -> list[CreatedTask]:
    drafts = draft_all(asked, find)
    firsts = _first_of_each_identity(drafts)
    # A caller whose transaction this is may go on after a refusal, without half of the tasks.
    with transaction.atomic() if len(asked) > 1 else nullcontext():
        made = _write(list(firsts.values()), start=start)
    return [
        made[draft.identity_hash]
        if firsts[draft.identity_hash] is draft
        else _replay(draft, made[draft.identity_hash])
        for draft in drafts
    ]


def _first_of_each_identity(drafts: Sequence[Draft]) -> dict[str, Draft]:
    """Return drafts by identity; refuse a later one of an identity that is not the same request."""
    firsts: dict[str, Draft] = {}
    for draft in drafts:
        first = firsts.setdefault(draft.identity_hash, draft)
        if first is not draft and not draft.repeats(first.fingerprint):
            raise _conflict(draft)
    return firsts


def _write(drafts: Sequence[Draft], *, start: bool) -> dict[str, CreatedTask]:
    """Write tasks and start them; return them, or those that were there before, by identity."""
    made: dict[str, CreatedTask] = {}
    for move, group in by_move(drafts):
        for batch in batches(group):
            made |= _write_batch(batch, move, start=start)
    return made


def _write_batch(batch: list[Draft], move: Move, *, start: bool) -> dict[str, CreatedTask]:
    new = _insert(batch, move, start=start)
    fresh = [(draft, new[key]) for draft in batch if (key := draft.identity_hash) in new]
    states = _note_started(fresh)
    if start and not states:
        states = _start(_with_room(fresh))
    if len(states) < len(fresh):
        tasks.notify_due_work()
    made = _find_repeated([draft for draft in batch if draft.identity_hash not in new])
    return made | {draft.identity_hash: _created(draft, task, states) for draft, task in fresh}


def _insert(batch: Sequence[Draft], move: Move, *, start: bool) -> dict[str, NewTask]:
    """Insert tasks; the statement starts them too where that needs no look at each one's steps."""
    settings = engine_settings()
    found, plan = batch[0].found, batch[0].plan
    is_plain = not batch[0].bypasses and plan.root_count <= settings.max_steps_in_flight_per_task
    rows = NewTasks(
        named_task_uuid=found.named_task_uuid,
        revision_uuid=found.revision_uuid,
        columns=[draft.columns() for draft in batch],
        steps=plan.steps,
        edges=plan.edges,
        path=FIRST_PATH if start and is_plain else (),
    )
    return tasks.create_tasks(rows, move=move, high_water=settings.high_water_messages)


def _note_started(fresh: Sequence[tuple[Draft, NewTask]]) -> dict[UUID, str]:
    """Count and log the steps of tasks that were started as they were written; return states."""
    started = [(draft, new) for draft, new in fresh if new.step_uuids]
    note_enqueued(
        [
            EnqueuedStep(new.task_uuid, step_uuid, worker_queue(draft.asked.request.namespace), msg)
            for draft, new in started
            for step_uuid, msg in zip(new.step_uuids or (), new.msg_ids or (), strict=True)
        ],
        {new.task_uuid: new.correlation_id for _, new in started},
    )
    return {new.task_uuid: FIRST_PATH[-1] for _, new in started}


def _with_room(fresh: Sequence[tuple[Draft, NewTask]]) -> list[tuple[Draft, NewTask]]:
    """Return the first tasks, of one namespace, for whose messages there is room."""
    most = engine_settings().max_steps_in_flight_per_task
    taken, starting = 0, []
    for draft, new in fresh:
        if new.queue_room > taken:
            starting.append((draft, new))
            taken += min(draft.plan.count_ready(draft.bypasses), most)
    return starting


def _start(starting: Sequence[tuple[Draft, NewTask]]) -> dict[UUID, str]:
    """Let new tasks in; return their states."""
    answers = evaluate(
        [Question(new.task_uuid, TaskState.PENDING, Cause.CREATION) for _, new in starting],
        known=[_context(draft, new) for draft, new in starting if not draft.bypasses],
    )
    log_answers(answers)
    return {answer.task_uuid: answer.state for answer in answers}


def _context(draft: Draft, new: NewTask) -> TaskContext:
    return readiness.context_of_new(
        new,
        named_task_uuid=draft.found.named_task_uuid,
        steps=len(draft.plan.parents),
        ready=draft.plan.root_count,
    )


def _created(draft: Draft, new: NewTask, states: dict[UUID, str]) -> CreatedTask:
    log_often(log, "task.created", _fields(draft, new))
    state = states.get(new.task_uuid, TaskState.PENDING.value)
    return CreatedTask(new.task_uuid, new.correlation_id, state, created=True)


def _find_repeated(drafts: Sequence[Draft]) -> dict[str, CreatedTask]:
    """Return the tasks that hold the identities of requests that wrote nothing."""
    if not drafts:
        return {}
    holders = tasks.holders_of_identities(draft.identity_hash for draft in drafts)
    return {
        draft.identity_hash: _repeated(draft, holders.get(draft.identity_hash)) for draft in drafts
    }


def _repeated(draft: Draft, holder: IdentityHolder | None) -> CreatedTask:
    """Answer a request whose identity is taken (engine.md 11)."""
    if holder is None or not draft.repeats(holder.request_hash):
        raise _conflict(draft)
    return _replay(draft, CreatedTask(holder.task_uuid, holder.correlation_id, holder.state, True))


def _replay(draft: Draft, task: CreatedTask) -> CreatedTask:
    log.info("task.replayed", extra=_fields(draft, task))
    return task._replace(created=False)


def _conflict(draft: Draft) -> DuplicateTaskError:
    request = draft.asked.request
    count_request(request, "conflict")
    log.warning("task.conflict", extra={"namespace": request.namespace, "task_name": request.name})
    same = "idempotency_key but another request" if request.idempotency_key else "context"
    error = DuplicateTaskError(
        f"Cannot create a task of '{request.namespace}/{request.name}': there is one with the same "
        f"{same}; change the request, or wait until that task is purged"
    )
    return located(error, draft.asked.place)


def _fields(draft: Draft, task: NewTask | CreatedTask) -> dict[str, Any]:
    """Return what a log line about a created or found task says."""
    return {
        "correlation_id": str(task.correlation_id),
        "task_uuid": str(task.task_uuid),
        "namespace": draft.asked.request.namespace,
        "task_name": draft.asked.request.name,
    }
