"""The page of one step: head and actions, attempts, retry policy, data, neighbours, history."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from orchestration.access.permissions import Permission
from orchestration.admin.attempts import attempts_of
from orchestration.admin.display import is_cut, json_block, short_id, state_badge
from orchestration.admin.pages import demand, fragment, may, page, part
from orchestration.admin.step_actions import STEP_ACTIONS, why_not_complete
from orchestration.admin.task_page import json_file
from orchestration.admin.task_parts import buttons, move_row
from orchestration.admin.task_view import step_address
from orchestration.admin.visibility import within
from orchestration.conf import engine_settings
from orchestration.lifecycle.backoff import Policy, delay_seconds
from orchestration.models import WorkflowStep
from orchestration.queries.step_page import StepMove, find_moves, find_neighbours
from orchestration.states import StepState
from templates_registry import registry
from templates_registry.schema import StepTemplate

MOST_MOVES = 1000
MOST_NEIGHBOURS = 200
MOST_DELAYS = 10
NAMESPACE = "task__named_task__task_namespace__name"
DATA = ("inputs", "results", "checkpoint")


def find(request: HttpRequest, step_uuid: UUID) -> WorkflowStep | None:
    """Return a step with its task, None for an unknown one or one that the user does not see."""
    related = ("task__named_task__task_namespace", "task__template_revision", "named_step")
    steps = WorkflowStep.objects.select_related(*related).defer(
        "task__context", "task__options", "task__template_revision__configuration"
    )
    return steps.filter(within(request, NAMESPACE), pk=step_uuid).first()


def show(request: HttpRequest, key: UUID) -> HttpResponse | None:
    """Return the page, None for a step that the user does not see."""
    step = find(request, key)
    if step is None:
        return None
    found = _Moves(step.pk)
    return page(
        request,
        "step",
        f"Step {step.name[:60]}",
        subtitle=f"of task {short_id(step.task_id)}",
        step=step,
        head=part("the head", lambda: _head(request, step)),
        attempts=part("the attempts", lambda: _attempts(step, found())),
        policy=part("the retry policy", lambda: _policy(step)),
        neighbours=part("the neighbours", lambda: _neighbours(step)),
        data=part("the data", lambda: _data(step)),
        history=part("the history", lambda: _history(found())),
    )


def download(request: HttpRequest, step_uuid: UUID, what: str) -> HttpResponse:
    """Answer with inputs, results or checkpoint as a file."""
    demand(request, Permission.STEPS_READ)
    step = find(request, step_uuid)
    if step is None or what not in DATA:
        raise Http404(f"No {what} of step {step_uuid}")
    return json_file(f"{what}-{short_id(step_uuid)}.json", getattr(step, what))


class _Moves:
    """The moves of a step, read once."""

    def __init__(self, step_uuid: UUID) -> None:
        self._step_uuid = step_uuid
        self._found: list[StepMove] | None = None

    def __call__(self) -> list[StepMove]:
        if self._found is None:
            self._found = find_moves(self._step_uuid, limit=MOST_MOVES)
        return self._found


def _head(request: HttpRequest, step: Any) -> SafeString:
    step.task_state = step.task.state
    possible = not why_not_complete(step) and may(request, Permission.STEPS_RESOLVE)
    complete = reverse("admin:orchestration_workflowstep_complete", args=[step.pk])
    return fragment(
        "step_head",
        step=step,
        badge=state_badge(step.state),
        task_badge=state_badge(step.task.state),
        is_running=step.state == StepState.IN_PROGRESS,
        buttons=buttons(request, "orchestration.workflowstep", step.pk, step, STEP_ACTIONS),
        complete=complete if possible else "",
    )


def _attempts(step: WorkflowStep, moves: list[StepMove]) -> SafeString:
    results = step.results if isinstance(step.results, dict) else {}
    error = results.get("error")
    if not isinstance(error, dict):
        error = {"message": error} if error else {}
    trace = error.get("backtrace") or error.get("traceback") or ""
    lines = [str(line) for line in trace] if isinstance(trace, list) else [str(trace)]
    return fragment(
        "step_attempts",
        attempts=attempts_of(moves),
        error=str(error.get("message") or ""),
        traceback="\n".join(lines),
    )


def _policy(step: WorkflowStep) -> SafeString:
    """Return the policy in force, and the pause that follows each failed attempt."""
    settings = engine_settings()
    in_template = template_step_of(step)
    policy = Policy(step.backoff_strategy, step.backoff_base_ms, step.max_backoff_ms)
    most = step.max_attempts if step.retryable else 1
    delays = [
        delay_seconds(n, policy, requested=None, settings=settings, spread=lambda *_: 1.0)
        for n in range(1, min(most, MOST_DELAYS + 1))
    ]
    return fragment(
        "step_policy",
        step=step,
        strategy=step.backoff_strategy or settings.default_backoff_strategy,
        is_default=step.backoff_strategy is None,
        base_ms=settings.default_backoff_base_ms
        if step.backoff_base_ms is None
        else step.backoff_base_ms,
        jitter=round(settings.backoff_jitter_ratio * 100),
        delays=list(enumerate(delays, start=1)),
        left_out=max(most - 1 - len(delays), 0),
        handler=in_template.handler.callable if in_template else "not in the template",
    )


def template_step_of(step: WorkflowStep) -> StepTemplate | None:
    """Return what the template says of a step, under the name of its type; None for nothing."""
    revision = step.task.template_revision
    template = registry.revision(step.task.named_task_id, revision.digest)
    return template.steps_by_name.get(step.named_step.name)


def _neighbours(step: WorkflowStep) -> SafeString:
    found = find_neighbours(step.pk, limit=MOST_NEIGHBOURS)
    rows = [(each, step_address(each.step_uuid), state_badge(each.state)) for each in found]
    return fragment("step_neighbours", rows=rows)


def _data(step: WorkflowStep) -> SafeString:
    values = [(name, getattr(step, name)) for name in DATA]
    rows = [(name, json_block(value), is_cut(value)) for name, value in values]
    return fragment("step_data", step=step, rows=rows)


def _history(moves: list[StepMove]) -> SafeString:
    return fragment("history", moves=[{**move_row(move), "is_step": True} for move in moves])
