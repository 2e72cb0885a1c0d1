"""Queues: how deep they are, how old, and what lies in one of them."""

from typing import Any

from django.core.management.base import CommandParser

from orchestration.conf import protection_settings
from orchestration.errors import NotFoundError
from orchestration.management.tasker.arguments import add_limit
from orchestration.management.tasker.verb import Answer, Verb
from orchestration.messaging.messages import ORCHESTRATION_QUEUES
from orchestration.queries.queue_table import QueueRow, all_queues, peek

MOST_MESSAGES = 1000


def list_queues(options: dict[str, Any]) -> Answer:
    """List the queues of the engine and of all namespaces."""
    return Answer(body=[_body(row) for row in all_queues(ORCHESTRATION_QUEUES)])


def _show_arguments(parser: CommandParser) -> None:
    parser.add_argument("name", metavar="NAME", help="such as worker_default_queue")
    add_limit(parser, default=20, greatest=MOST_MESSAGES)


def show(options: dict[str, Any]) -> Answer:
    """Show a queue with its oldest messages; reads none of them."""
    name = options["name"]
    row = next((row for row in all_queues(ORCHESTRATION_QUEUES) if row.name == name), None)
    if row is None:
        raise NotFoundError(f"There is no queue '{name}'; see tasker queue list")
    messages = [each._asdict() for each in peek(name, limit=options["limit"])]
    body = _body(row)
    return Answer(
        body=body | {"messages": messages},
        table=messages or body,
        notes=[f"{len(messages)} of {row.depth} messages, the oldest first."],
    )


def _body(row: QueueRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "depth": row.depth,
        "visible": row.visible,
        "oldest_age_seconds": row.oldest_age_seconds,
        "archived": row.archived,
        "tier": protection_settings().tier_of(row.depth).name.lower(),
    }


VERBS = {
    "list": Verb(help="List queues.", run=list_queues),
    "show": Verb(help="Show what lies in a queue.", run=show, arguments=_show_arguments),
}
