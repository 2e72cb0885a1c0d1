"""Fills the bench database with many tasks at once, by SQL: what weeks of work leave behind."""

import random
from importlib.resources import files
from uuid import UUID

from tasker_project.bench.database import rows, settle, value

LOADED_TOGETHER = 20_000  # finished tasks of one transaction, with 49 rows each


def load_tasks(count: int) -> None:
    """Add that many tasks in all states, then analyse as autovacuum would."""
    _run("load.sql", count)
    settle()


def load_tasks_for_now(count: int) -> None:
    """Add the same in a transaction of the caller's, which undoes it, and analyse."""
    _run("load.sql", count)
    rows("ANALYZE")


def load_finished(count: int) -> None:
    """Add that many tasks that finished long ago, with their histories, then analyse."""
    _run("load.sql", 0)
    for done in range(0, count, LOADED_TOGETHER):
        _run("finished.sql", min(LOADED_TOGETHER, count - done))
    settle()


def _run(script: str, count: int) -> None:
    value("SELECT set_config('tasker.load_tasks', %(count)s, false)", count=str(count))
    rows("SET statement_timeout = 0")
    text = files("tasker_project.bench").joinpath(script).read_text("utf-8")
    rows(text.replace("%", "%%"))


def pick_tasks(count: int, *, random_state: int) -> list[UUID]:
    """Return some of the loaded tasks, the same ones for the same random state."""
    found = [
        uuid
        for (uuid,) in rows(
            "SELECT t.task_uuid FROM tasker_tasks AS t JOIN tasker_template_revisions AS r"
            " USING (template_revision_uuid) WHERE r.digest = 'load' ORDER BY t.task_uuid"
        )
    ]
    return random.Random(random_state).choices(found, k=count)  # noqa: S311 - not for secrets


def label(count: int) -> str:
    """Return how a size is written in keys: 5000 is `5k`, a million `1m`."""
    for unit, letter in ((1_000_000, "m"), (1000, "k")):
        if count and count % unit == 0:
            return f"{count // unit}{letter}"
    return str(count)
