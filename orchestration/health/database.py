"""Checks of the database and of this process's connections to it."""

import time
from collections.abc import Callable
from typing import NamedTuple

from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from orchestration.health.verdict import HEALTHY, UNHEALTHY, Verdict, graded
from orchestration.runtime.database import pool_of

POOL_DEGRADED_SHARE, POOL_UNHEALTHY_SHARE = 0.7, 0.9
WAITED_SECONDS = 60.0
"""How long it is remembered that somebody waited in vain for a connection."""


class PoolUse(NamedTuple):
    """Connections of this process: open, in use, most that may be open; who waited in vain."""

    size: int
    in_use: int
    maximum: int
    failed_requests: int = 0

    @property
    def share(self) -> float:
        """In use, of the most there may be."""
        return self.in_use / self.maximum if self.maximum else 0.0


def check_database() -> Verdict:
    """The database answers."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Verdict(HEALTHY, "the database answers")


def check_schema() -> Verdict:
    """The tables of the engine, all its migrations and PGMQ are there."""
    missing = missing_schema()
    if missing:
        return Verdict(UNHEALTHY, missing)
    return Verdict(HEALTHY, "engine schema, migrations and PGMQ are there")


def missing_schema() -> str:
    """Return what the database lacks to run the engine, an empty text if nothing."""
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pgmq.meta') IS NOT NULL")
        row = cursor.fetchone()
    if not (row and row[0]):
        return "PGMQ is missing; run migrate"
    global _schema_was_complete
    if _schema_was_complete:  # reading all migration files takes tens of milliseconds
        return ""
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return f"{len(plan)} migrations are not applied; run migrate"
    _schema_was_complete = True
    return ""


_schema_was_complete = False


class PoolCheck:
    """The share of the connection pool that is in use, and whether somebody got no connection."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet."""
        self._clock = clock
        self._failed = 0
        self._failed_at = float("-inf")

    def __call__(self) -> Verdict:
        """Return what was found."""
        pool = pool_use()
        if pool.failed_requests > self._failed:
            self._failed_at = self._clock()
        self._failed = pool.failed_requests
        message = f"{pool.share:.0%} of the connections in use"
        if self._clock() - self._failed_at < WAITED_SECONDS:
            return Verdict(UNHEALTHY, f"{message}; somebody waited in vain for one")
        return graded(
            pool.share, message, degraded=POOL_DEGRADED_SHARE, unhealthy=POOL_UNHEALTHY_SHARE
        )


def pool_use() -> PoolUse:
    """Return the state of Django's connection pool, zeros where there is none."""
    stats = pool_stats()
    size = stats.get("pool_size", 0)
    in_use = size - stats.get("pool_available", 0)
    return PoolUse(size, in_use, stats.get("pool_max", 0), stats.get("requests_errors", 0))


def pool_stats() -> dict[str, int]:
    """Return what psycopg's pool says about itself, nothing where there is none."""
    pool = pool_of(connections["default"])
    return {} if pool is None else pool.get_stats()
