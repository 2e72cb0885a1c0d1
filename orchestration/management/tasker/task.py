"""Tasks: create, list, look at, wait for, act upon, by hand and in bulk."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from orchestration.access.principals import principal_of_command_line
from orchestration.api.query import Parameter
from orchestration.api.task_answers import page_answer, task_answer
from orchestration.api.task_query import parameters, task_query_of
from orchestration.client import create_task
from orchestration.lifecycle import operator_actions
from orchestration.management.tasker.arguments import (
    add_limit,
    add_query,
    json_object,
    number,
    query_values,
    reason,
    uuid,
)
from orchestration.management.tasker.bulk import BulkAction
from orchestration.management.tasker.task_steps import STEP_VERBS
from orchestration.management.tasker.verb import Answer, Verb
from orchestration.management.tasker.waiting import UNTIL, wait_for
from orchestration.queries.task_list import find_tasks

WAIT_SECONDS = 60
LONGEST_WAIT_SECONDS = 86_400
LISTED = (
    "task_uuid",
    "namespace",
    "name",
    "version",
    "status",
    "completion_percentage",
    "created_at",
)
LEFT_OUT = ("context", "options", "steps")
PAGED = ("page", "per_page", "include")


def _create_arguments(parser: CommandParser) -> None:
    parser.add_argument("--name", required=True, help="name of the template")
    parser.add_argument("-n", "--namespace", default="default", help="default: default")
    parser.add_argument("-V", "--template-version", metavar="VERSION", help="default: the latest")
    parser.add_argument(
        "-i", "--input", default="{}", metavar="JSON", help="the context: a literal, @file or -"
    )
    parser.add_argument("-p", "--priority", type=int, default=0, help="-100 to 100, default: 0")
    parser.add_argument("-c", "--correlation-id", type=uuid, metavar="UUID")
    parser.add_argument("--parent", type=uuid, metavar="UUID", help="parent's correlation id")
    parser.add_argument("--tag", action="append", default=[], help="may be repeated")
    parser.add_argument("-r", "--reason", type=reason, help="stands in the history")
    parser.add_argument("--idempotency-key", metavar="KEY", help="the same key makes one task")
    parser.add_argument(
        "--wait",
        nargs="?",
        type=number(0, LONGEST_WAIT_SECONDS),
        const=WAIT_SECONDS,
        metavar="SECONDS",
        help=f"wait until the task rests; without a number {WAIT_SECONDS} s",
    )


def create(options: dict[str, Any]) -> Answer:
    """Create a task as the API does, with all its limits; the same key finds the same task."""
    principal = principal_of_command_line()
    created = create_task(
        options["name"],
        namespace=options["namespace"],
        version=options["template_version"],
        context=json_object(options["input"]),
        priority=options["priority"],
        correlation_id=options["correlation_id"],
        parent_correlation_id=options["parent"],
        tags=options["tag"],
        reason=options["reason"],
        idempotency_key=options["idempotency_key"],
        initiator=principal.name,
        source_system="cli",
        actor=principal.name,
        respect_backpressure=True,
    )
    notes = [] if created.created else ["The same request made this task before."]
    if options["wait"] is None:
        return _one(task_answer(created.task_uuid, principal), notes=notes)
    waited = wait_for(
        [created.task_uuid], principal, until="resting", timeout_seconds=options["wait"]
    )
    body = task_answer(created.task_uuid, principal)
    return _one(body, notes=notes, exit_code=waited.exit_code)


def _list_arguments(parser: CommandParser) -> None:
    add_query(parser, _filters(), names={"version": "template_version"})
    add_limit(parser, default=20, greatest=100)
    parser.add_argument("--page", type=number(1, 1_000_000), default=1, help="default: 1")
    parser.add_argument("--context", action="store_true", help="show contexts, at most 25")


def list_tasks(options: dict[str, Any]) -> Answer:
    """List tasks, the newest first unless another order is asked for."""
    values = query_values(options, _filters()) | {
        "page": options["page"],
        "per_page": options["limit"],
        "include": ("context",) if options["context"] else (),
        "after": None,
    }
    asked = task_query_of(values)
    found = find_tasks(
        asked.wanted,
        principal_of_command_line().scope,
        order=asked.order,
        page=asked.page,
        per_page=asked.per_page,
        with_context=options["context"],
    )
    body = page_answer(found, asked)
    columns = (*LISTED, "context") if options["context"] else LISTED
    told = f"{len(body['tasks'])} of {found.total} tasks."
    return Answer(body=body, table=body["tasks"], columns=columns, notes=[told])


def _get_arguments(parser: CommandParser) -> None:
    parser.add_argument("task", type=uuid, metavar="UUID")
    parser.add_argument("--context", action="store_true", help="show the context too")


def get(options: dict[str, Any]) -> Answer:
    """Show one task with its steps."""
    body = task_answer(options["task"], principal_of_command_line())
    return _one(body, with_context=options["context"])


def _wait_arguments(parser: CommandParser) -> None:
    parser.add_argument("task", nargs="+", type=uuid, metavar="UUID")
    parser.add_argument(
        "--timeout",
        type=number(0, LONGEST_WAIT_SECONDS),
        default=WAIT_SECONDS,
        metavar="SECONDS",
        help=f"default: {WAIT_SECONDS}",
    )
    parser.add_argument(
        "--until",
        choices=tuple(UNTIL),
        default="resting",
        help="resting: no move will come by itself (the default); terminal: none is possible",
    )


def wait(options: dict[str, Any]) -> Answer:
    """Wait for tasks; the exit code tells how they ended."""
    waited = wait_for(
        options["task"],
        principal_of_command_line(),
        until=options["until"],
        timeout_seconds=options["timeout"],
    )
    return Answer(body=waited.tasks, columns=LISTED, exit_code=waited.exit_code)


def _filters() -> list[Parameter]:
    """Return the filters of the API and its order; pages have options of their own."""
    return [each for each in parameters() if each.name not in PAGED]


def _one(body: Mapping[str, Any], *, with_context: bool = False, **rest: Any) -> Answer:
    """Answer with one task; a person sees its steps as words."""
    shown = {name: value for name, value in body.items() if name not in LEFT_OUT}
    if with_context:
        shown["context"] = body["context"]
    shown["steps"] = [f"{step['name']}: {step['current_state']}" for step in body["steps"]]
    return Answer(body=body, table=shown, **rest)


VERBS = {
    "create": Verb(help="Create a task.", run=create, arguments=_create_arguments),
    "list": Verb(help="List tasks.", run=list_tasks, arguments=_list_arguments),
    "get": Verb(help="Show a task.", run=get, arguments=_get_arguments),
    "wait": Verb(help="Wait until tasks rest.", run=wait, arguments=_wait_arguments),
    "cancel": BulkAction("cancelled", operator_actions.cancel_task).verb(
        "Cancel tasks and their unfinished steps."
    ),
    "retry": BulkAction("retried", operator_actions.retry_failed_steps).verb(
        "Let all failed steps of tasks run again."
    ),
    "reset": BulkAction("reset", operator_actions.reset_task).verb("Revive tasks in error."),
    "resolve": BulkAction("resolved", operator_actions.resolve_task).verb("Close tasks by hand."),
    "give-up": BulkAction("given up", operator_actions.give_up_task).verb(
        "End blocked tasks in error."
    ),
    **STEP_VERBS,
}
