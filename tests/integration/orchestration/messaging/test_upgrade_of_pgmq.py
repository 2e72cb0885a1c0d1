"""`manage.py upgrade_pgmq`, and the warning of migrations that left an old PGMQ behind."""

import logging
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models.signals import post_migrate

from orchestration.messaging import pgmq

pytestmark = pytest.mark.django_db


def execute(statement: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def from_sql() -> None:
    """Skip where the server offers PGMQ as an extension."""
    if "extension" in (pgmq.installed() or "extension"):
        pytest.skip("PGMQ is an extension here")


@pytest.fixture
def old(from_sql: None) -> None:
    """Make PGMQ look like an older one."""
    execute("COMMENT ON SCHEMA pgmq IS 'PGMQ 1.9.0, installed by Tasker from SQL'")


def upgrade() -> str:
    output = StringIO()
    call_command("upgrade_pgmq", stdout=output)
    return output.getvalue().strip()


def other_versions(caplog: Any) -> list[Any]:
    with caplog.at_level(logging.WARNING):
        orchestration = apps.get_app_config("orchestration")
        post_migrate.send(
            orchestration, app_config=orchestration, using="default", verbosity=0, interactive=False
        )
    return [
        (record.installed, record.shipped)
        for record in caplog.records
        if record.message.startswith("pgmq.other_version")
    ]


def test_an_upgrade_keeps_queues_and_messages(old):
    pgmq.create_queue("kept_queue")
    msg_id = pgmq.send("kept_queue", {"n": 1})

    assert upgrade() == f"PGMQ 1.9.0 -> {pgmq.shipped_version()}"

    (message,) = pgmq.read("kept_queue", limit=5, visibility_seconds=0)
    assert (message.msg_id, message.body) == (msg_id, {"n": 1})
    assert pgmq.version() == pgmq.shipped_version()


def test_upgrading_twice_changes_nothing(from_sql):
    shipped = pgmq.shipped_version()

    assert [upgrade(), upgrade()] == [f"PGMQ {shipped} -> {shipped}"] * 2


def test_pgmq_that_cannot_be_upgraded_is_named(from_sql):
    execute("COMMENT ON SCHEMA pgmq IS 'made by hand'")

    with pytest.raises(CommandError, match=r"PGMQ of unknown version .*nothing changed"):
        upgrade()


def test_migrations_warn_of_an_old_pgmq(old, caplog):
    assert other_versions(caplog) == [("1.9.0", pgmq.shipped_version())]


def test_migrations_say_nothing_of_the_shipped_version(from_sql, caplog):
    assert other_versions(caplog) == []


def test_migrations_say_nothing_of_a_pgmq_of_unknown_origin(from_sql, caplog):
    execute("COMMENT ON SCHEMA pgmq IS 'made by hand'")

    assert other_versions(caplog) == []
