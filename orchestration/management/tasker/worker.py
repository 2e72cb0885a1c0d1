"""Workers and orchestrators: who runs, what it serves, and whether it was heard lately."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from orchestration import health
from orchestration.api.query import UUID_TEXT
from orchestration.api.worker_bodies import process_body
from orchestration.errors import NotFoundError
from orchestration.management.tasker.verb import Answer, Exit, Verb
from orchestration.queries.process_list import ProcessLook, find_process, find_processes
from orchestration.queries.scope import EVERYTHING

LISTED = (
    "kind",
    "name",
    "status",
    "namespaces",
    "running",
    "slots",
    "version",
    "last_heartbeat_at",
)
NOBODY = "No orchestrator and no worker runs."


def _list_arguments(parser: CommandParser) -> None:
    parser.add_argument("-n", "--namespace", help="workers that serve this namespace")
    parser.add_argument("--stale", action="store_true", help="only those not heard lately")


def list_workers(options: dict[str, Any]) -> Answer:
    """List the processes that run or should."""
    rows = _running(namespace=options["namespace"])
    kept = [row for row in rows if row.is_stale or not options["stale"]]
    return Answer(
        body=[process_body(row) for row in kept],
        columns=LISTED,
        notes=[] if rows else [NOBODY],
    )


def _id_argument(parser: CommandParser) -> None:
    parser.add_argument("id", metavar="ID", help="uuid or name")


def status(options: dict[str, Any]) -> Answer:
    """Show one process with its last report."""
    return Answer(body=process_body(_find(options["id"])))


def _health_argument(parser: CommandParser) -> None:
    parser.add_argument("id", nargs="?", metavar="ID", help="uuid or name; default: all that run")


def check(options: dict[str, Any]) -> Answer:
    """Tell whether processes were heard lately; fails when one was not, or none runs."""
    rows = [_find(options["id"])] if options["id"] else _running()
    is_well = bool(rows) and all(row.status in ("running", "draining") for row in rows)
    body = [
        {
            "kind": row.kind,
            "name": row.name,
            "status": row.status,
            "last_heartbeat_at": row.last_heartbeat_at,
            "circuit_breaker_state": row.report.get("circuit_breaker_state", {}),
        }
        for row in rows
    ]
    return Answer(
        body=body,
        notes=[] if rows else [NOBODY],
        exit_code=Exit.DONE if is_well else Exit.FAILED,
    )


def _running(*, namespace: str | None = None) -> Sequence[ProcessLook]:
    return find_processes(EVERYTHING, fresh_seconds=health.fresh_seconds(), namespace=namespace)


def _find(given: str) -> ProcessLook:
    wanted = UUID(given) if UUID_TEXT.fullmatch(given) else given
    found = find_process(wanted, fresh_seconds=health.fresh_seconds())
    if found is None:
        raise NotFoundError(f"There is no process '{given}'; see tasker worker list")
    return found


VERBS = {
    "list": Verb(help="List processes.", run=list_workers, arguments=_list_arguments),
    "status": Verb(help="Show a process.", run=status, arguments=_id_argument),
    "health": Verb(help="Fail when a process is stale.", run=check, arguments=_health_argument),
}
