"""What the entry point of the container starts, role by role; `python` is one that only notes."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import PROJECT

ENTRYPOINT = PROJECT / "docker" / "entrypoint.sh"
MIGRATES = "manage.py migrate_and_sync --retries 3 --retry-delay-seconds 10 --lock-wait-seconds 300"
WEB = "-m gunicorn tasker_project.wsgi --bind 0.0.0.0:8080 --worker-class gthread --workers 2"
Run = Callable[..., tuple[int, list[str], str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs the entry point: its code, what it started, what it said."""
    notes = tmp_path / "notes"
    notes.touch()
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >> {notes}\nexit "${{FAILS:-0}}"\n')
    python.chmod(0o755)

    def begin(*arguments: str, **environment: str) -> tuple[int, list[str], str]:
        given = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path), **environment}
        done = subprocess.run(
            [ENTRYPOINT, *arguments], env=given, capture_output=True, text=True, check=False
        )
        return done.returncode, notes.read_text().splitlines(), done.stderr

    return begin


@pytest.mark.parametrize(
    ("arguments", "environment", "started"),
    [
        ((), {}, [MIGRATES, WEB]),
        (("web",), {}, [MIGRATES, WEB]),
        (("web",), {"RUN_MIGRATIONS": "false"}, [WEB]),
        (("web",), {"DEPLOYMENT_MODE": "no-migrate"}, [WEB]),
        (("web",), {"DEPLOYMENT_MODE": "migrate-only"}, [MIGRATES]),
        (
            ("web",),
            {"WEB_PROCESSES": "4", "PORT": "80", "TASKER_HTTP_BIND": "::1", "WEB_THREADS": "3"},
            [MIGRATES, "--bind ::1:80 --worker-class gthread --workers 4 --threads 3"],
        ),
        (("orchestrator", "--once"), {}, ["manage.py run_orchestrator --once"]),
        (("worker", "a", "b"), {}, ["manage.py run_worker a b"]),
        (("worker",), {"RUN_MIGRATIONS": "true"}, [MIGRATES, "manage.py run_worker"]),
        (("worker",), {"DEPLOYMENT_MODE": "migrate-only"}, [MIGRATES]),
        (("migrate",), {"RUN_MIGRATIONS": "false", "DEPLOYMENT_MODE": "no-migrate"}, [MIGRATES]),
        (("manage", "purge", "--days", "9"), {}, ["manage.py purge --days 9"]),
        (
            ("migrate",),
            {
                "DB_MIGRATION_RETRIES": "1",
                "DB_MIGRATION_RETRY_DELAY": "2",
                "DB_MIGRATION_TIMEOUT": "3",
            },
            ["--retries 1 --retry-delay-seconds 2 --lock-wait-seconds 3"],
        ),
    ],
)
def test_a_role_starts_what_it_stands_for(run: Run, arguments, environment, started):
    code, notes, said = run(*arguments, **environment)

    assert (code, len(notes), said) == (0, len(started), "")
    for note, wanted in zip(notes, started, strict=True):
        assert wanted in note


def test_nothing_is_started_on_a_database_that_could_not_be_migrated(run: Run):
    code, notes, _ = run("web", FAILS="1")

    assert (code, len(notes)) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (("database",), {}, "there is no role 'database'"),
        (("web",), {"RUN_MIGRATIONS": "yes"}, "RUN_MIGRATIONS is 'yes'"),
        (("web",), {"DEPLOYMENT_MODE": "none"}, "DEPLOYMENT_MODE is 'none'"),
    ],
)
def test_what_it_does_not_know_is_refused_before_anything_starts(
    run: Run, arguments, environment, told
):
    code, notes, said = run(*arguments, **environment)

    assert (code, notes) == (2, [])
    assert told in said


def test_several_web_processes_get_a_folder_for_their_metrics(run: Run, tmp_path: Path):
    (tmp_path / "python").write_text('#!/bin/sh\ntest -d "$PROMETHEUS_MULTIPROC_DIR"\n')

    assert run("web", RUN_MIGRATIONS="false")[0] == 0
    assert run("web", RUN_MIGRATIONS="false", WEB_PROCESSES="1")[0] == 1
