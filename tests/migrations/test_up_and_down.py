"""The migrations go up, down one by one to nothing, and up again, on a database of their own."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from tests.databases import fresh_database

pytestmark = pytest.mark.timeout(240)  # databases are created and dropped, however busy the disk is
ALIAS = "migrations"
APPS = ("templates_registry", "orchestration")
# What is left of our making: tables, views, functions, foreign keys with their time, and schemas.
REMAINS = """
SELECT c.relname FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE 'tasker%'
UNION ALL
SELECT p.proname FROM pg_proc AS p
WHERE p.pronamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
UNION ALL
SELECT f.conname || ', deferred: ' || f.condeferred FROM pg_constraint AS f
WHERE f.contype = 'f' AND f.conrelid::regclass::text LIKE 'tasker%'
UNION ALL
SELECT n.nspname FROM pg_namespace AS n WHERE n.nspname = 'pgmq'
"""


@pytest.fixture
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """Return a connection to a fresh, empty database beside the test's."""
    with django_db_blocker.unblock():
        default = connections["default"].settings_dict
        with fresh_database("migrations") as name:
            options = {k: v for k, v in default["OPTIONS"].items() if k != "pool"}
            connections.databases[ALIAS] = {**default, "NAME": name, "OPTIONS": options}
            yield connections[ALIAS]
            connections[ALIAS].close()
            del connections[ALIAS], connections.databases[ALIAS]


def migrate(database: Any, *targets: tuple[str, str | None]) -> None:
    MigrationExecutor(database).migrate(list(targets))


def newest(database: Any) -> list[tuple[str, str]]:
    graph = MigrationExecutor(database).loader.graph
    return [node for app in APPS for node in graph.leaf_nodes(app)]


def ask(database: Any, query: str) -> list[Any]:
    with database.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]


def test_up_down_to_nothing_and_up_again(database):
    migrate(database, *newest(database))
    there = sorted(ask(database, REMAINS))
    queues = ask(database, "SELECT queue_name FROM pgmq.meta ORDER BY queue_name")

    migrate(database, *((app, None) for app in reversed(APPS)))
    assert ask(database, REMAINS) == []

    migrate(database, *newest(database))
    assert sorted(ask(database, REMAINS)) == there
    assert ask(database, "SELECT queue_name FROM pgmq.meta ORDER BY queue_name") == queues
    assert queues == ["orchestration_step_results", "orchestration_task_requests"]


def test_every_migration_goes_down_alone_and_up_again(database):
    migrate(database, *newest(database))
    plan = [
        node
        for node in MigrationExecutor(database).loader.graph.forwards_plan(newest(database)[-1])
        if node[0] == "orchestration"
    ]

    for below, node in reversed(list(pairwise(plan))):
        before = sorted(ask(database, REMAINS))
        migrate(database, below)
        assert sorted(ask(database, REMAINS)) != before
        migrate(database, node)
        assert sorted(ask(database, REMAINS)) == before
        migrate(database, below)


def test_going_down_with_rows_and_queues_in_use_works(database):
    migrate(database, *newest(database))
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO tasker_task_namespaces (name) VALUES ('in_use')")
        cursor.execute("SELECT pgmq_send_with_notify('worker_in_use_queue', '{}')")

    migrate(database, ("orchestration", None))

    assert "pgmq" not in ask(database, REMAINS)
    migrate(database, *newest(database))
    assert "worker_in_use_queue" in ask(database, "SELECT queue_name FROM pgmq.meta")


def test_pgmq_that_somebody_else_installed_is_left_alone(database):
    migrate(database, *newest(database))
    with database.cursor() as cursor:
        cursor.execute("COMMENT ON SCHEMA pgmq IS 'ours, not yours'")

    migrate(database, ("orchestration", None))

    assert ask(database, REMAINS).count("pgmq") == 1
    assert ask(database, "SELECT count(*) FROM pgmq.meta") == [0]
    migrate(database, *newest(database))
    assert ask(database, "SELECT obj_description('pgmq'::regnamespace)") == ["ours, not yours"]


def test_hot_tables_keep_room_and_are_cleared_early(database):
    migrate(database, *newest(database))
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO tasker_task_namespaces (name) VALUES ('later')")

    options = dict(
        zip(
            ask(database, "SELECT relname FROM pg_class WHERE reloptions IS NOT NULL"),
            ask(database, "SELECT reloptions FROM pg_class WHERE reloptions IS NOT NULL"),
            strict=True,
        )
    )

    cleared = {"autovacuum_vacuum_scale_factor=0.02", "autovacuum_analyze_scale_factor=0.02"}
    assert set(options["tasker_tasks"]) == {"fillfactor=50", *cleared}
    assert set(options["tasker_workflow_steps"]) == {"fillfactor=85", *cleared}
    assert cleared <= set(options["tasker_workflow_step_edges"])
    at_once = {"autovacuum_vacuum_cost_delay=0", "vacuum_truncate=off"}
    assert set(options["q_orchestration_step_results"]) == {*cleared, *at_once}
    assert options["q_worker_later_queue"] == options["q_orchestration_step_results"]
    history = set(options["tasker_workflow_step_transitions"])
    assert "autovacuum_freeze_min_age=0" in history
    assert history == set(options["tasker_task_transitions"])


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
