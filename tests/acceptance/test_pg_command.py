"""`manage.py pg` as a person uses it: up until stopped, a query, a dump."""

import os
import subprocess
import sys

import pytest

from tasker_project.embedded import postmaster
from tasker_project.embedded.launcher import EmbeddedServer
from tests.processes import PROJECT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]


@pytest.fixture
def pg(tmp_path):
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "TASKER_"))
    }

    def run(*arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", "pg", *arguments],
            env={**environment, "TASKER_ENV": "test", "TASKER_DATA_DIR": str(tmp_path)},
            cwd=PROJECT,
            check=check,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout + done.stderr

    yield run
    run("stop")


def test_server_stays_up_from_start_to_stop(pg, tmp_path):
    data = EmbeddedServer(tmp_path).data

    assert "running" in pg("start")
    assert postmaster.is_running(data)
    assert "kept up by pg start  yes" in pg("status")
    assert "stopped" in pg("stop")
    assert not postmaster.is_running(data)


def test_stop_and_status_say_so_when_nothing_runs(pg, tmp_path):
    assert "stopped" in pg("status")
    assert "stopped" in pg("stop")
    assert not postmaster.is_running(EmbeddedServer(tmp_path).data)


def test_psql_and_dump_hand_their_options_on(pg):
    pg("psql", "-c", "CREATE TABLE kept (id int)")

    assert "CREATE TABLE public.kept" in pg("dump", "--schema-only")
    assert "division by zero" in pg("psql", "-c", "SELECT 1/0", check=False)
