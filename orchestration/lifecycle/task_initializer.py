"""A request becomes a task: template, identity, rows, first messages, in one transaction.

The transaction may be the caller's own: then the task exists, and its first messages are visible,
exactly when the caller commits. Any failure leaves nothing behind (engine.md 7.1).
"""

import logging
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import to_jsonable_python

from orchestration import metrics
from orchestration.conf import engine_settings
from orchestration.errors import DuplicateTaskError, InvalidRequestError, NotFoundError, Problem
from orchestration.lifecycle import identity
from orchestration.lifecycle.task_finalizer import Cause, Question, evaluate, log_answers
from orchestration.lifecycle.task_request import TaskRequest
from orchestration.lifecycle.workflow_builder import Blueprint, blueprint
from orchestration.queries import tasks
from orchestration.queries.tasks import IdentityHolder, Move, NewTask
from orchestration.queries.transactions import atomically
from orchestration.states import TaskState
from templates_registry import registry
from templates_registry.conf import registry_settings
from templates_registry.errors import TemplateNotFound
from templates_registry.registry import FoundTemplate
from templates_registry.schema import validator_of

log = logging.getLogger(__name__)


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

    def work() -> CreatedTask:
        template = found or _find_template(request, suggest_from)
        return _create(request, template, actor=actor, start=start)

    with _counted(request) as outcome:
        created = atomically(work)
        outcome.append("created" if created.created else "replayed")
    return created


def find_replay(
    request: TaskRequest, *, suggest_from: Collection[str] | None = None
) -> CreatedTask | None:
    """Return the task that the same request with the same key made before, None without one.

    Writes nothing. Raises `NotFoundError` (template), and `DuplicateTaskError` when another request
    took the key.
    """
    if request.idempotency_key is None:
        return None
    identity_hash = _identity_hash(request, _find_template(request, suggest_from))
    if tasks.holder_of_identity(identity_hash) is None:
        return None
    return _repeated(request, identity_hash, identity.fingerprint(request.sameness()))


@contextmanager
def _counted(request: TaskRequest) -> Iterator[list[str]]:
    """Count a request by its outcome; only what a template proves may become a label."""
    began = time.perf_counter()
    outcome: list[str] = []
    labels = {"namespace": request.namespace, "task": request.name}
    try:
        yield outcome
    except DuplicateTaskError:
        metrics.TASK_REQUESTS.add(**labels, outcome="conflict")
        raise
    except NotFoundError:
        unknown = dict.fromkeys(labels, metrics.OTHER)
        metrics.TASK_REQUESTS.add(**unknown, outcome="rejected")
        raise
    except InvalidRequestError:
        metrics.TASK_REQUESTS.add(**labels, outcome="rejected")
        raise
    took_ms = (time.perf_counter() - began) * 1000
    metrics.TASK_REQUESTS.add(**labels, outcome=outcome[0])
    metrics.TASK_INITIALIZATION.observe(took_ms, namespace=request.namespace)


def _create(request: TaskRequest, found: FoundTemplate, *, actor: str, start: bool) -> CreatedTask:
    plan = blueprint(found.digest, found.template)
    _check_size(found, plan)
    _check_against_template(request, found, plan)
    fingerprint = identity.fingerprint(request.sameness())
    identity_hash = _identity_hash(request, found)
    tasks.announce(Move(actor=actor, reason=request.reason))
    new = tasks.create_task(
        _columns(request, found) | {"identity_hash": identity_hash, "request_hash": fingerprint},
        steps=plan.steps,
        edges=plan.edges,
    )
    if new is None:
        return _repeated(request, identity_hash, fingerprint)
    state = _start(new.task_uuid, request.namespace, start=start)
    log.info(
        "task.created",
        extra=_fields(request, new),
    )
    return CreatedTask(new.task_uuid, new.correlation_id, state, created=True)


def _find_template(request: TaskRequest, suggest_from: Collection[str] | None) -> FoundTemplate:
    wanted = (request.namespace, request.name, request.version)
    try:
        return registry.find(*wanted, suggest_from=suggest_from)
    except TemplateNotFound as error:
        raise NotFoundError(f"Cannot create a task: {error}") from error


def _identity_hash(request: TaskRequest, found: FoundTemplate) -> str:
    return identity.identity_hash(
        strategy=found.identity_strategy,
        namespace=request.namespace,
        name=request.name,
        named_task_uuid=found.named_task_uuid,
        context=request.context,
        idempotency_key=request.idempotency_key,
    )


def _check_size(found: FoundTemplate, plan: Blueprint) -> None:
    """Refuse a template that was registered while the setting allowed more steps."""
    allowed = registry_settings().max_steps_per_task
    if len(plan.step_names) > allowed:
        raise InvalidRequestError(
            f"Cannot create a task of '{found.template}': it begins with {len(plan.step_names)} "
            f"steps; the setting max_steps_per_task allows {allowed}"
        )


def _check_against_template(request: TaskRequest, found: FoundTemplate, plan: Blueprint) -> None:
    """Refuse a context that the template's schema refuses, and unknown steps to bypass."""
    problems = [
        Problem(f"bypass_steps[{place}]", f"'{name}' is no initial step of '{found.template}'")
        for place, name in enumerate(request.bypass_steps)
        if name not in plan.step_names
    ]
    wanted = found.template.validate_input
    if engine_settings().validate_inputs if wanted is None else wanted:
        problems += _schema_problems(found, request.context)
    if problems:
        places = ", ".join(problem.path for problem in problems)
        raise InvalidRequestError(
            f"Cannot create a task of '{found.template}': the request is wrong at {places}",
            problems=problems,
        )


def _schema_problems(found: FoundTemplate, context: dict[str, Any]) -> list[Problem]:
    if found.template.input_schema is None:
        return []
    errors = validator_of(found.template.input_schema).iter_errors(context)
    return [Problem("context" + error.json_path[1:], error.message) for error in errors]


def _columns(request: TaskRequest, found: FoundTemplate) -> dict[str, Any]:
    parts = request.model_dump(
        include={
            "context",
            "initiator",
            "source_system",
            "reason",
            "tags",
            "bypass_steps",
            "options",
            "priority",
            "idempotency_key",
            "requested_at",
            "correlation_id",
            "parent_correlation_id",
        }
    )
    plain: dict[str, Any] = to_jsonable_python(parts)
    return plain | {
        "named_task_uuid": str(found.named_task_uuid),
        "template_revision_uuid": str(found.revision_uuid),
    }


def _repeated(request: TaskRequest, identity_hash: str, fingerprint: str) -> CreatedTask:
    """Answer a request whose identity is taken (engine.md 11)."""
    holder = tasks.holder_of_identity(identity_hash)
    if holder and request.idempotency_key is not None and holder.request_hash == fingerprint:
        log.info("task.replayed", extra=_fields(request, holder))
        return CreatedTask(holder.task_uuid, holder.correlation_id, holder.state, created=False)
    log.warning("task.conflict", extra={"namespace": request.namespace, "task_name": request.name})
    same = "idempotency_key but another request" if request.idempotency_key else "context"
    raise DuplicateTaskError(
        f"Cannot create a task of '{request.namespace}/{request.name}': there is one with the same "
        f"{same}; change the request, or wait until that task is purged"
    )


def _fields(request: TaskRequest, task: NewTask | IdentityHolder) -> dict[str, Any]:
    """Return what a log line about a created or found task says."""
    return {
        "correlation_id": str(task.correlation_id),
        "task_uuid": str(task.task_uuid),
        "namespace": request.namespace,
        "task_name": request.name,
    }


def _start(task_uuid: UUID, namespace: str, *, start: bool) -> str:
    """Let a new task in, or wake discovery to do it when there is room; return its state."""
    if not start or tasks.is_closed(namespace, high_water=engine_settings().high_water_messages):
        tasks.notify_due_work()
        return TaskState.PENDING.value
    answers = evaluate([Question(task_uuid, TaskState.PENDING, Cause.CREATION)])
    log_answers(answers)
    return answers[0].state
