"""A request that has found its template: judged against it, with the identity it would have.

Nothing is written here, and many requests are judged as one is: what is wrong with any of them is
known before the first row.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from orchestration import metrics
from orchestration.conf import engine_settings
from orchestration.errors import InvalidRequestError, NotFoundError, Problem, joined, located
from orchestration.lifecycle import identity
from orchestration.lifecycle.task_request import TaskRequest
from orchestration.lifecycle.workflow_builder import Blueprint, blueprint
from orchestration.queries.tasks import Move
from templates_registry.conf import registry_settings
from templates_registry.errors import TemplateNotFound
from templates_registry.registry import FoundTemplate

TASKS_AT_ONCE = 200
"""In one statement: so many contexts of 1 MiB are what one jsonb value can hold."""
STEPS_AT_ONCE = 20_000
"""In one statement, unless a single task has more: keeps it well below its time limit."""
Find = Callable[[str, str, str | None], FoundTemplate]
"""By namespace, name and version; raises `TemplateNotFound`."""
STORED_AS_ASKED = (
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
)


class Asked(NamedTuple):
    """A request, who answers for it, and its place where it is one of many: `tasks[3]`."""

    request: TaskRequest
    actor: str
    place: str = ""


class Draft(NamedTuple):
    """A task that may be written."""

    asked: Asked
    found: FoundTemplate
    plan: Blueprint
    identity_hash: str
    fingerprint: str

    @property
    def bypasses(self) -> list[str]:
        """The steps that are not to run."""
        return self.asked.request.bypass_steps

    def repeats(self, fingerprint: str) -> bool:
        """Tell whether the request with this fingerprint, which has the same identity, is this one.

        Only a key says that a repetition is meant (engine.md 11).
        """
        return self.asked.request.idempotency_key is not None and self.fingerprint == fingerprint

    def columns(self) -> dict[str, Any]:
        """Return what the task's row says."""
        request = self.asked.request
        columns = {name: getattr(request, name) for name in STORED_AS_ASKED}
        return columns | {"identity_hash": self.identity_hash, "request_hash": self.fingerprint}


def draft_all(asked: Sequence[Asked], find: Find) -> list[Draft]:
    """Judge requests, in their order; each template is looked for once.

    Raises `NotFoundError` for the first without a template, and one `InvalidRequestError` with what
    is wrong with all of them.
    """
    drafts, refusals = [], []
    find_once = cache(find)
    for each in asked:
        try:
            drafts.append(_draft(each, _found(each, find_once)))
        except InvalidRequestError as error:
            count_request(each.request, "rejected")
            refusals.append(located(error, each.place))
    if refusals:
        raise joined(refusals)
    return drafts


def by_move(drafts: Iterable[Draft]) -> list[tuple[Move, list[Draft]]]:
    """Return drafts by what their histories will say: one statement says one thing."""
    groups: dict[tuple[str, str], list[Draft]] = {}
    for draft in drafts:
        groups.setdefault((draft.asked.actor, draft.asked.request.reason), []).append(draft)
    return [(Move(actor=actor, reason=reason), each) for (actor, reason), each in groups.items()]


def batches(drafts: Iterable[Draft]) -> Iterator[list[Draft]]:
    """Yield drafts of one template each, as many as one statement may write.

    Those with steps that are not to run are apart: only the others can be started as they are
    written.
    """
    alike: dict[tuple[UUID, bool], list[Draft]] = {}
    for draft in drafts:
        kind = (draft.found.revision_uuid, bool(draft.bypasses))
        alike.setdefault(kind, []).append(draft)
    for same in alike.values():
        steps = max(len(same[0].plan.parents), 1)
        size = max(min(TASKS_AT_ONCE, STEPS_AT_ONCE // steps), 1)
        for first in range(0, len(same), size):
            yield same[first : first + size]


def count_request(request: TaskRequest, outcome: str) -> None:
    """Count a request by what became of it; it has a template, so its name may become a label."""
    metrics.TASK_REQUESTS.add(namespace=request.namespace, task=request.name, outcome=outcome)


def _found(asked: Asked, find: Find) -> FoundTemplate:
    request = asked.request
    try:
        return find(request.namespace, request.name, request.version)
    except TemplateNotFound as error:
        metrics.TASK_REQUESTS.add(namespace=metrics.OTHER, task=metrics.OTHER, outcome="rejected")
        raise located(NotFoundError(f"Cannot create a task: {error}"), asked.place) from error


def _draft(asked: Asked, found: FoundTemplate) -> Draft:
    request = asked.request
    plan = blueprint(found.digest, found.template)
    _check_size(found, plan)
    _check_against_template(request, found, plan)
    identity_hash = identity.identity_hash(
        strategy=found.identity_strategy,
        namespace=request.namespace,
        name=request.name,
        named_task_uuid=found.named_task_uuid,
        context=request.context,
        idempotency_key=request.idempotency_key,
    )
    return Draft(asked, found, plan, identity_hash, identity.fingerprint(request.sameness()))


def _check_size(found: FoundTemplate, plan: Blueprint) -> None:
    """Refuse a template that was registered while the setting allowed more steps."""
    allowed = registry_settings().max_steps_per_task
    if len(plan.parents) > allowed:
        raise InvalidRequestError(
            f"Cannot create a task of '{found.template}': it begins with {len(plan.parents)} "
            f"steps; the setting max_steps_per_task allows {allowed}"
        )


def _check_against_template(request: TaskRequest, found: FoundTemplate, plan: Blueprint) -> None:
    """Refuse a context that the template's schema refuses, and unknown steps to bypass."""
    problems = [
        Problem(f"bypass_steps[{place}]", f"'{name}' is no initial step of '{found.template}'")
        for place, name in enumerate(request.bypass_steps)
        if name not in plan.parents
    ]
    wanted = found.template.validate_input
    if engine_settings().validate_inputs if wanted is None else wanted:
        problems += _schema_problems(plan, request.context)
    if problems:
        places = ", ".join(problem.path for problem in problems)
        raise InvalidRequestError(
            f"Cannot create a task of '{found.template}': the request is wrong at {places}",
            problems=problems,
        )


def _schema_problems(plan: Blueprint, context: dict[str, Any]) -> list[Problem]:
    if plan.input_validator is None:
        return []
    errors = plan.input_validator.iter_errors(context)
    return [Problem("context" + error.json_path[1:], error.message) for error in errors]
