"""The DLQ: list and look at investigations, open, annotate and close them, look for stale tasks."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from orchestration.access.principals import principal_of_command_line
from orchestration.api.dlq import PARAMETERS
from orchestration.api.dlq_bodies import (
    DlqEntryChangeSerializer,
    DlqEntryRequestSerializer,
    DlqStatsSerializer,
    entry_body,
    queued_body,
)
from orchestration.errors import NotFoundError
from orchestration.lifecycle import operator_actions
from orchestration.lifecycle.investigation import EntryChange, update_entry
from orchestration.lifecycle.staleness import look_for_stale_tasks
from orchestration.management.tasker.arguments import (
    add_limit,
    add_query,
    json_object,
    number,
    query_values,
    uuid,
)
from orchestration.management.tasker.verb import Answer, Verb
from orchestration.models import DlqResolution
from orchestration.queries import dlq
from orchestration.queries.dlq import EntryFilter
from orchestration.queries.scope import EVERYTHING
from orchestration.queries.tasks import Move

MOST_ENTRIES = 500
LARGEST_BATCH = 10_000
FILTERS = [each for each in PARAMETERS if each.name not in ("limit", "offset")]
LISTED = (
    "dlq_entry_uuid",
    "task_uuid",
    "dlq_reason",
    "original_state",
    "dlq_timestamp",
    "resolution_status",
    "resolved_by",
)
QUEUED = ("dlq_entry_uuid", "task_uuid", "dlq_reason", "minutes_in_dlq", "priority_score")


def _list_arguments(parser: CommandParser) -> None:
    letters = {"namespace": "-n", "status": "-s"}
    add_query(parser, FILTERS, letters=letters, names={"resolution_status": "status"})
    add_limit(parser, default=50, greatest=MOST_ENTRIES)
    parser.add_argument(
        "--offset", type=number(0, 2**31 - 1), default=0, help="entries to leave out"
    )


def list_entries(options: dict[str, Any]) -> Answer:
    """List entries, the newest first."""
    asked = query_values(options, FILTERS)
    wanted = EntryFilter(
        resolutions=asked["resolution_status"],
        reasons=asked["reason"],
        namespace=asked["namespace"],
    )
    found = dlq.find_entries(wanted, EVERYTHING, limit=options["limit"], offset=options["offset"])
    return Answer(
        body=[entry_body(row, shows_context=True) for row in found.rows],
        columns=LISTED,
        notes=[f"{len(found.rows)} of {found.total_count} entries."],
    )


def _uuid_argument(parser: CommandParser) -> None:
    parser.add_argument("uuid", type=uuid, metavar="UUID", help="of an entry, or of a task")


def get(options: dict[str, Any]) -> Answer:
    """Show an entry: the one named, or the pending, else the newest one of a task."""
    return _entry(options["uuid"])


def _add_arguments(parser: CommandParser) -> None:
    parser.add_argument("task", type=uuid, metavar="UUID", help="task to be investigated")
    parser.add_argument("--notes", default="", help="why")


def add(options: dict[str, Any]) -> Answer:
    """Open an investigation of a task; the task itself stays as it is."""
    given = DlqEntryRequestSerializer(data={"notes": options["notes"]})
    given.is_valid(raise_exception=True)
    entry = operator_actions.move_to_dlq(
        options["task"],
        actor=principal_of_command_line().name,
        reason=given.validated_data["notes"],
    )
    return _entry(entry)


def _update_arguments(parser: CommandParser) -> None:
    parser.add_argument("entry", type=uuid, metavar="UUID", help="entry")
    parser.add_argument(
        "-s", "--status", choices=DlqResolution.values, help="all but pending close the entry"
    )
    parser.add_argument("--notes", help="what was found")
    parser.add_argument("-b", "--by", metavar="NAME", help="who closed it; default: yourself")
    parser.add_argument("--metadata", metavar="JSON", help="merged with what is there")


def update(options: dict[str, Any]) -> Answer:
    """Annotate or close an entry; closing starts nothing."""
    metadata = options["metadata"]
    texts = {
        "resolution_status": options["status"],
        "resolution_notes": options["notes"],
        "resolved_by": options["by"],
        "metadata": None if metadata is None else json_object(metadata),
    }
    given = DlqEntryChangeSerializer(
        data={name: value for name, value in texts.items() if value is not None}
    )
    given.is_valid(raise_exception=True)
    change = EntryChange(**given.validated_data)
    update_entry(options["entry"], change, actor=principal_of_command_line().name)
    return _entry(options["entry"])


def stats(options: dict[str, Any]) -> Answer:
    """Count the entries by reason and by how they ended."""
    rows = [row._asdict() for row in dlq.stats(EVERYTHING)]
    notes = [] if rows else ["The DLQ is empty."]
    return Answer(body=DlqStatsSerializer(rows, many=True).data, notes=notes)


def _queue_arguments(parser: CommandParser) -> None:
    add_limit(parser, default=100, greatest=MOST_ENTRIES)


def queue(options: dict[str, Any]) -> Answer:
    """List pending entries, the most pressing first."""
    rows = dlq.investigation_queue(EVERYTHING, limit=options["limit"])
    notes = [] if rows else ["Nothing waits for an investigator."]
    body = [queued_body(each, shows_context=True) for each in rows]
    return Answer(body=body, columns=QUEUED, notes=notes)


def _detect_arguments(parser: CommandParser) -> None:
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--dry-run", action="store_true", help="only look (the default)")
    choice.add_argument("--apply", action="store_true", help="act upon what is found")
    parser.add_argument(
        "--batch", type=number(1, LARGEST_BATCH), default=100, help="most tasks, default: 100"
    )


def detect(options: dict[str, Any]) -> Answer:
    """Do one round of the detector of stale tasks."""
    settled = look_for_stale_tasks(
        move=Move(principal_of_command_line().name),
        limit=options["batch"],
        dry_run=not options["apply"],
    )
    done = "settled." if options["apply"] else "found; --apply acts upon them."
    body = [task._asdict() for task in settled]
    return Answer(body=body, notes=[f"{len(body)} stale tasks {done}"])


def _entry(found: UUID) -> Answer:
    row = dlq.find_entry(found, EVERYTHING) or dlq.entry_of_task(found, EVERYTHING)
    if row is None:
        raise NotFoundError(f"There is no DLQ entry {found}, and none of such a task")
    return Answer(body=entry_body(row, shows_context=True))


VERBS = {
    "list": Verb(help="List entries.", run=list_entries, arguments=_list_arguments),
    "get": Verb(help="Show an entry.", run=get, arguments=_uuid_argument),
    "add": Verb(help="Open an investigation of a task.", run=add, arguments=_add_arguments),
    "update": Verb(help="Annotate or close an entry.", run=update, arguments=_update_arguments),
    "stats": Verb(help="Count entries.", run=stats),
    "queue": Verb(
        help="List what waits for an investigator.", run=queue, arguments=_queue_arguments
    ),
    "detect": Verb(help="Look for stale tasks now.", run=detect, arguments=_detect_arguments),
}
