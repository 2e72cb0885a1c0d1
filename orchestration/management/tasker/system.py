"""The system: its health as this command line sees it, and the versions of what it runs on."""

from typing import Any

from django.core.management.base import CommandParser
from django.db import connections

from orchestration import health
from orchestration.api.worker_bodies import process_body
from orchestration.health import CheckResult
from orchestration.health.verdict import worst
from orchestration.management.tasker.verb import Answer, Exit, Verb
from orchestration.messaging import pgmq
from orchestration.models import ProcessKind
from orchestration.queries.process_list import ProcessLook, find_processes
from orchestration.queries.scope import EVERYTHING
from orchestration.runtime.identity import tasker_version
from templates_registry.conf import registry_settings


def _health_arguments(parser: CommandParser) -> None:
    parser.add_argument("-o", "--orchestrators", action="store_true", help="only orchestrators")
    parser.add_argument("-w", "--workers", action="store_true", help="only workers")


def check(options: dict[str, Any]) -> Answer:
    """Check database, queues and processes; fails when one of them is unhealthy or stale."""
    results = health.web_health().results()
    found = results.values()
    processes = [
        row
        for row in find_processes(EVERYTHING, fresh_seconds=health.fresh_seconds())
        if row.kind in _kinds(options)
    ]
    is_sick = any(each.status == health.UNHEALTHY for each in found)
    is_sick = is_sick or any(row.is_stale for row in processes)
    return Answer(
        body={
            "status": health.UNHEALTHY if is_sick else worst({each.status for each in found}),
            "checks": {name: each._asdict() for name, each in results.items()},
            "processes": [process_body(row) for row in processes],
        },
        table=[*map(_check_line, results.items()), *map(_process_line, processes)],
        exit_code=Exit.FAILED if is_sick else Exit.DONE,
    )


def info(options: dict[str, Any]) -> Answer:
    """Show the versions of Tasker, PostgreSQL and PGMQ, and whether migrations are applied."""
    missing = health.missing_schema()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        (server,) = cursor.fetchone() or ("",)
    return Answer(
        body={
            "version": tasker_version(),
            "environment": registry_settings().environment,
            "postgresql": server,
            "pgmq": pgmq.version(),
            "pgmq_shipped": pgmq.shipped_version(),
            "schema": missing or "complete",
        },
        exit_code=Exit.FAILED if missing else Exit.DONE,
    )


def _kinds(options: dict[str, Any]) -> set[str]:
    chosen = {"orchestrators": ProcessKind.ORCHESTRATOR, "workers": ProcessKind.WORKER}
    kinds = {kind.value for name, kind in chosen.items() if options[name]}
    return kinds or set(ProcessKind.values)


def _check_line(named: tuple[str, CheckResult]) -> dict[str, str]:
    name, result = named
    return {"what": name, "status": result.status, "message": result.message}


def _process_line(row: ProcessLook) -> dict[str, str]:
    heard = f"heard at {row.last_heartbeat_at:%Y-%m-%d %H:%M:%S} UTC"
    return {"what": f"{row.kind} {row.name}", "status": row.status, "message": heard}


VERBS = {
    "health": Verb(help="Check everything.", run=check, arguments=_health_arguments),
    "info": Verb(help="Show versions.", run=info),
}
