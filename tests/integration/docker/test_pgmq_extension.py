"""The extension that docker/postgres/Dockerfile makes can be created by a real server."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import psycopg
import pytest

from orchestration.sql.operations import shipped_pgmq_version
from tests.databases import fresh_database
from tests.images import stages
from tests.processes import PROJECT, database_url

POSTGRES = PROJECT / "docker" / "postgres"
FIRST_WITH_A_PATH = 180_000  # extension_control_path came with PostgreSQL 18


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that the server may read, whoever it runs as."""
    with tempfile.TemporaryDirectory() as made:
        os.chmod(made, 0o755)  # noqa: S103
        yield Path(made)


@pytest.mark.django_db
def test_the_server_offers_the_version_that_the_migrations_would_install(folder: Path):
    target = folder / "extension"
    command = [str(POSTGRES / "extension.sh"), str(resources.files("pgmq")), str(target)]
    subprocess.run(command, check=True)
    made = sorted(path.name for path in target.iterdir())
    assert made == [f"pgmq--{shipped_pgmq_version()}.sql", "pgmq.control"]

    with (
        fresh_database("extension") as name,
        psycopg.connect(database_url(name), autocommit=True) as server,
    ):
        if server.info.server_version < FIRST_WITH_A_PATH:
            pytest.skip("this server takes extensions from its own folder only")
        path = f"{folder}:$system"
        server.execute("SELECT set_config('extension_control_path', %s, false)", [path])
        server.execute("CREATE EXTENSION pgmq")
        server.execute("SELECT pgmq.create('orders')")
        server.execute("SELECT pgmq.send('orders', '{}')")

        found = server.execute("SELECT extversion FROM pg_extension WHERE extname = 'pgmq'")
        assert found.fetchone() == (shipped_pgmq_version(),)
        assert server.execute("SELECT count(*) FROM pgmq.read('orders', 1, 1)").fetchone() == (1,)


def test_the_one_package_is_taken_from_the_requirements_with_its_hashes():
    [run] = [step for stage in stages(POSTGRES / "Dockerfile") for step in stage
             if step.word == "RUN" and "awk" in step.rest]  # fmt: skip
    awk = run.rest.partition(" > ")[0]

    taken = subprocess.run(
        ["/bin/sh", "-ec", awk],
        cwd=PROJECT / "requirements",
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert taken.startswith("pgmq==")
    assert taken.count("--hash=sha256:") >= 1
    assert taken.count("==") == 1
