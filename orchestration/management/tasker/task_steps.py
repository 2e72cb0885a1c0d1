"""The verbs of the group `task` that are about its steps and its history."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from orchestration.access.principals import principal_of_command_line
from orchestration.api.query import UUID_TEXT
from orchestration.api.step_answers import step_answer, step_answers
from orchestration.api.step_bodies import CompletionSerializer
from orchestration.api.tasks import told_reason
from orchestration.errors import NotFoundError
from orchestration.lifecycle import operator_actions
from orchestration.management.tasker.arguments import (
    add_limit,
    add_reason,
    json_object,
    json_value,
    uuid,
)
from orchestration.management.tasker.verb import Answer, Verb
from orchestration.queries.scope import EVERYTHING
from orchestration.queries.step_audit import find_audit
from orchestration.queries.step_list import find_steps, has_task, uuid_of_step
from orchestration.queries.task_page import Move, find_moves

MOST_STEPS = 5000
MOST_MOVES = 10_000
LISTED = (
    "step_uuid",
    "name",
    "current_state",
    "dependencies",
    "attempts",
    "max_attempts",
    "next_retry_at",
)
AUDITED = (
    "recorded_at",
    "attempt",
    "success",
    "execution_time_ms",
    "worker_uuid",
    "from_state",
    "to_state",
)
MOVED = ("created_at", "step_name", "from_state", "to_state", "event", "attempt", "actor", "reason")
BY = {"reset": "reset_by", "resolve": "resolved_by", "complete": "completed_by"}


def _task_argument(parser: CommandParser) -> None:
    parser.add_argument("task", type=uuid, metavar="UUID")


def _step_arguments(parser: CommandParser) -> None:
    _task_argument(parser)
    parser.add_argument("step", metavar="STEP", help="uuid or name")


def _list_arguments(parser: CommandParser) -> None:
    _task_argument(parser)
    add_limit(parser, default=1000, greatest=MOST_STEPS)
    parser.add_argument("--results", action="store_true", help="show the results too")


def list_steps(options: dict[str, Any]) -> Answer:
    """List the steps of a task in the order of creation."""
    task: UUID = options["task"]
    _require_task(task)
    found = find_steps(task, limit=options["limit"])
    columns = (*LISTED, "results") if options["results"] else LISTED
    told = f"{len(found.rows)} of {found.total_count} steps."
    return Answer(body=step_answers(task, found.rows), columns=columns, notes=[told])


def _show_arguments(parser: CommandParser) -> None:
    _step_arguments(parser)
    parser.add_argument("--results", action="store_true", help="show results and checkpoint too")


def show_step(options: dict[str, Any]) -> Answer:
    """Show one step."""
    body = step_answer(options["task"], _step(options), EVERYTHING)
    left_out = () if options["results"] else ("results", "checkpoint")
    return Answer(body=body, table={name: body[name] for name in body if name not in left_out})


def _action_arguments(parser: CommandParser) -> None:
    _step_arguments(parser)
    add_reason(parser)


def _complete_arguments(parser: CommandParser) -> None:
    _action_arguments(parser)
    parser.add_argument(
        "--result", required=True, metavar="JSON", help="the result: a literal, @file or -"
    )
    parser.add_argument("--metadata", default="{}", metavar="JSON", help="beside the result")


def complete(options: dict[str, Any]) -> Answer:
    """Finish a step with a result supplied by hand."""
    given = CompletionSerializer(
        data={
            "result": json_value(options["result"]),
            "metadata": json_object(options["metadata"]),
        }
    )
    given.is_valid(raise_exception=True)
    return _acted("complete", operator_actions.complete_step, options, **given.validated_data)


def reset(options: dict[str, Any]) -> Answer:
    """Let a failed step run again."""
    return _acted("reset", operator_actions.reset_step, options)


def resolve(options: dict[str, Any]) -> Answer:
    """Treat a step as done."""
    return _acted("resolve", operator_actions.resolve_step, options)


def _acted(verb: str, act: Callable[..., Any], options: dict[str, Any], **given: Any) -> Answer:
    """Act on a step and show what it is then."""
    step, by = _step(options), BY[verb]
    why = told_reason({"reason": options["reason"], by: options["by"]}, by)
    act(step, actor=principal_of_command_line().name, reason=why, **given)
    return Answer(body=step_answer(options["task"], step, EVERYTHING), columns=LISTED)


def _history_arguments(parser: CommandParser) -> None:
    _task_argument(parser)
    parser.add_argument("--subject", choices=("task", "step"), help="default: both")
    add_limit(parser, default=1000, greatest=MOST_MOVES)


def history(options: dict[str, Any]) -> Answer:
    """Show the moves of a task and of its steps, in the order of time."""
    _require_task(options["task"])
    wanted = options["subject"]
    moves = find_moves(options["task"], limit=MOST_MOVES)[::-1]
    kept = [each for each in moves if wanted in (None, _subject(each))]
    return Answer(
        body=[_move_body(each) for each in kept[: options["limit"]]],
        columns=MOVED,
        notes=[f"{min(len(kept), options['limit'])} of {len(kept)} moves."],
    )


def step_audit(options: dict[str, Any]) -> Answer:
    """Show the attempts of a step that reported something, the newest first."""
    rows = find_audit(options["task"], _step(options))
    notes = [] if rows else ["No attempt of this step has reported."]
    return Answer(body=[row._asdict() for row in rows], columns=AUDITED, notes=notes)


def _step(options: dict[str, Any]) -> UUID:
    """Return the uuid of the step that is meant; raises `NotFoundError`."""
    task, given = options["task"], options["step"]
    found = UUID(given) if UUID_TEXT.fullmatch(given) else None
    found = uuid_of_step(task, given) if found is None else found
    if found is None:
        _require_task(task)
        raise NotFoundError(f"Task {task} has no step '{given}'")
    step_answer(task, found, EVERYTHING)  # a step of another task is not found
    return found


def _require_task(task: UUID) -> None:
    if not has_task(task, EVERYTHING):
        raise NotFoundError(f"There is no task {task}")


def _subject(move: Move) -> str:
    return "task" if move.step_uuid is None else "step"


def _move_body(move: Move) -> dict[str, Any]:
    """Return a move with the field names of `/transitions`."""
    row = move._asdict()
    body = {"subject": _subject(move), "created_at": row.pop("at"), **row}
    return body | {"step_name": move.step_name or None, "reason": move.reason or None}


STEP_VERBS = {
    "steps": Verb(help="List the steps of a task.", run=list_steps, arguments=_list_arguments),
    "step": Verb(help="Show a step.", run=show_step, arguments=_show_arguments),
    "reset-step": Verb(help="Let a failed step run again.", run=reset, arguments=_action_arguments),
    "resolve-step": Verb(help="Treat a step as done.", run=resolve, arguments=_action_arguments),
    "complete-step": Verb(
        help="Finish a step with a result.", run=complete, arguments=_complete_arguments
    ),
    "history": Verb(
        help="Show what happened to a task and its steps.",
        run=history,
        arguments=_history_arguments,
    ),
    "step-audit": Verb(
        help="Show the attempts of a step.", run=step_audit, arguments=_step_arguments
    ),
}
