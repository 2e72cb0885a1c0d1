"""Statements about process rows: who starts, who lives, who leaves."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from orchestration import sql


class ProcessRow(NamedTuple):
    """What a process says about itself when it starts."""

    worker_uuid: UUID
    kind: str
    name: str
    hostname: str
    pid: int
    version: str
    environment: str
    namespaces: list[str]
    handlers: list[str]
    slots: int
    deployment_mode: str
    has_liveness_lock: bool = False


class Orchestrator(NamedTuple):
    """An orchestrator that lives, and what it said about itself with its last heartbeat."""

    worker_uuid: UUID
    report: dict[str, Any]


def register_process(row: ProcessRow) -> None:
    """Insert the row of a starting process; one that was taken for lost runs again."""
    values: dict[str, Any] = row._asdict() | {
        "namespaces": json.dumps(row.namespaces),
        "handlers": json.dumps(row.handlers),
    }
    sql.execute("processes/register", **values)


def beat(
    worker_uuid: UUID,
    *,
    running: int,
    slots: int,
    status: str = "running",
    has_liveness_lock: bool = False,
    report: Mapping[str, Any] | None = None,
) -> bool:
    """Say that a process is alive; False when it was taken for lost and must register anew."""
    return bool(
        sql.execute(
            "processes/beat",
            worker_uuid=worker_uuid,
            running=running,
            slots=slots,
            status=status,
            has_liveness_lock=has_liveness_lock,
            report=json.dumps(report or {}, default=str),
        )
    )


def leave(worker_uuid: UUID) -> None:
    """Mark a process as stopped."""
    sql.execute("processes/leave", worker_uuid=worker_uuid)


def fresh_orchestrators(*, within_seconds: float) -> list[Orchestrator]:
    """Return the orchestrators whose last heartbeat is younger than that."""
    rows = sql.fetch(Orchestrator, "processes/fresh_orchestrators", within_seconds=within_seconds)
    return [row._replace(report=sql.decoded(row.report)) for row in rows]
