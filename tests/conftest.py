"""Fixtures of every test: a clock to set, clean queues, waiting without sleeping, real processes.

A test that commits (`transaction=True`) leaves its messages behind, because Django's flush knows
nothing of the schema pgmq; they are purged after it, and once before the first test, so that a
second run on a kept database starts as clean as the first.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg.pq import TransactionStatus
from rest_framework.test import APIClient

from orchestration import backpressure
from orchestration.conf import engine_settings
from orchestration.lifecycle.due_work import judging_grace_seconds
from orchestration.queries.inline import set_clock
from orchestration.runtime import breaker
from orchestration.runtime.database import pool_of
from tests.forwarder import Forwarder
from tests.pooler import PROGRAM, WAYS, Pooler
from tests.processes import Processes, database_url, route_children, wait_until

pytest_plugins = ["workers.testing.fixtures"]

# How long an example takes says how busy the machine is, and nothing about the code.
hypothesis_settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch that sends every process of the tests through a transaction pooler."""
    parser.addoption("--pooler", choices=WAYS, help="PgBouncer with a direct connection or without")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is about LISTEN and its lock where there is neither."""
    if config.getoption("--pooler") == "polling":
        reason = "needs LISTEN and its liveness lock, which a transaction pooler does not have"
        for item in items:
            if item.get_closest_marker("listens"):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """Drop a connection that a time limit has left in the middle of a statement.

    Everybody after it would fail on it too, and say nothing about themselves.
    """
    for each in connections.all(initialized_only=True):
        link = each.connection
        if link is not None and link.info.transaction_status == TransactionStatus.ACTIVE:
            link.close()
            each.close()


class Clock:
    """What `tasker_now()` answers on the test's own connection."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def set(self, moment: datetime) -> None:
        """Stop the clock at a moment."""
        self.now = moment
        self._tell(moment.isoformat())

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self.set(self.now + timedelta(seconds=seconds))

    def release(self) -> None:
        """Let real time run again."""
        self._tell("")

    def _tell(self, moment: str) -> None:
        set_clock(moment)


@pytest.fixture
def clock(db: None) -> Iterator[Clock]:
    """Return the engine's clock, stopped at the present moment."""
    clock = Clock()
    clock.set(clock.now)
    yield clock
    clock.release()


@pytest.fixture
def door() -> Iterator[Forwarder]:
    """Return an open door to the database, which the test may shut."""
    forwarder = Forwarder()
    forwarder.open()
    yield forwarder
    forwarder.close()


@pytest.fixture
def second_connection(transactional_db: None) -> Iterator[Callable[[str], Any]]:
    """Return a function that runs a statement on another connection than the test's.

    It answers the first value of the first row, None when the statement returns no rows.
    """
    with psycopg.connect(database_url(), autocommit=True) as connection:

        def ask(query: str) -> Any:
            cursor = connection.execute(query.encode())
            row = cursor.fetchone() if cursor.description else None
            return row and row[0]

        yield ask


@pytest.fixture
def eventually() -> Callable[..., None]:
    """Return `eventually(condition, within=5)`, which fails when the condition stays false."""
    return wait_until


@pytest.fixture
def api() -> APIClient:
    """Return a client of the REST API that sends and reads JSON."""
    return APIClient()


@pytest.fixture
def processes(transactional_db: None) -> Iterator[Processes]:
    """Return a starter of real `manage.py` processes on the test database; ends all of them."""
    started = Processes()
    yield started
    started.end_all()


def purge_queues() -> None:
    """Empty every queue and every archive."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT to_regclass('pgmq.meta') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return
        cursor.execute("SELECT queue_name FROM pgmq.meta ORDER BY queue_name")
        tables = [f"pgmq.{kind}_{name}" for (name,) in cursor.fetchall() for kind in "qa"]
        if tables:
            cursor.execute(f"TRUNCATE {', '.join(tables)}")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Forget a pool that a test without a database has made: it leads to the developer's own."""
    connection = connections["default"]
    if isinstance(connection, DatabaseWrapper) and pool_of(connection) is not None:
        connection.close_pool()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Begin with empty queues, whatever an earlier run left in a kept database.

    And with a server that is old enough to judge: reapers take nothing back just after its start.
    """
    with django_db_blocker.unblock(), connections["default"].cursor() as cursor:
        purge_queues()
        cursor.execute(
            "SELECT pg_sleep_until(pg_postmaster_start_time() + make_interval(secs => %s))",
            [judging_grace_seconds(engine_settings())],
        )
        connections["default"].close()


@pytest.fixture(scope="session", autouse=True)
def _pooler_of_all(request: pytest.FixtureRequest) -> Iterator[None]:
    way = request.config.getoption("--pooler")
    if way is None:
        yield
        return
    if PROGRAM is None:
        pytest.exit("pgbouncer is not installed (Debian: apt install pgbouncer)", returncode=2)
    request.getfixturevalue("django_db_setup")  # from here on the test database has its name
    pooler = Pooler()
    route_children(pooler.environment(way))
    yield
    route_children({})
    pooler.close()


@pytest.fixture(autouse=True)
def _fresh_content_types() -> None:
    """Forget the content types of the test before: a rollback may have taken their rows."""
    from django.contrib.contenttypes.models import ContentType

    ContentType.objects.clear_cache()


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> None:
    """Forget the answers that another test's questions had."""
    cache.clear()


@pytest.fixture(autouse=True)
def _nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with new circuit breakers and without verdicts about queues of other tests."""
    monkeypatch.setattr(backpressure, "_backpressure", backpressure.Backpressure())
    monkeypatch.setattr(breaker, "_breakers", {})


@pytest.fixture(autouse=True)
def _clean_queues(request: pytest.FixtureRequest) -> Iterator[None]:
    marker = request.node.get_closest_marker("django_db")
    commits = bool(marker and marker.kwargs.get("transaction"))
    if commits or {"transactional_db", "live_server"} & set(request.fixturenames):
        request.getfixturevalue("transactional_db")
        yield
        purge_queues()
    else:
        yield
