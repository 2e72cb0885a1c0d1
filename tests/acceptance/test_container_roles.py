"""The roles of the container as plain processes: production profile, real PostgreSQL, real HTTP."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tasker_project.demo.client import Api
from tasker_project.processes import free_port
from tests.databases import fresh_database
from tests.images import Image
from tests.processes import ChildProcess, Processes, database_url, wait_until
from tests.quick_start import section

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(240)]
HOST = "tasker.example"
BEHIND_THE_PROXY = {"Host": HOST, "X-Forwarded-Proto": "https"}
PRODUCTION = {
    "DJANGO_SECRET_KEY": "s" * 50,
    "DJANGO_ALLOWED_HOSTS": HOST,
    "TASKER_PROXY_SSL_HEADER": "X-Forwarded-Proto",
    "TASKER_HTTP_BIND": "127.0.0.1",
    "TASKER_METRICS_TOKEN": "m" * 20,
    "TASKER_RETENTION_TASK_DAYS": "90",
    "TASKER_LOAD_EXAMPLES": "true",
}
[SENT] = re.findall(r"-d '(.*)'", section("Deploying it"))
LOCK = "SELECT pg_advisory_lock(hashtextextended('tasker.migrate_and_sync', 0))"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
Start = Callable[..., ChildProcess]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Return what the steps of the Dockerfile made in an empty folder."""
    return Image(tmp_path_factory.mktemp("image") / "app")


@pytest.fixture
def address(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Return the address of an empty database."""
    with django_db_blocker.unblock(), fresh_database("container") as name:
        yield database_url(name)


@pytest.fixture
def start(image: Image, address: str, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a role in production; whatever still runs is ended."""
    processes = Processes()

    def begin(*arguments: str, **environment: str) -> ChildProcess:
        folders = {"DATABASE_URL": address, "TMPDIR": str(tmp_path)}
        given = {**PRODUCTION, **folders, **environment}
        return processes.add(image.start(*arguments, **given))

    yield begin
    processes.end_all()


def ends_well(process: ChildProcess) -> str:
    assert process.ends(within=120) == 0, process.output
    return process.output


def answers(url: str, process: ChildProcess) -> bool:
    assert process.child.poll() is None, process.output
    with suppress(httpx.TransportError):
        return httpx.get(url, trust_env=False).status_code == 200
    return False


def is_healthy(image: Image, **ports: str) -> bool:
    command = [sys.executable, str(image.folder / "docker" / "healthcheck.py")]
    return subprocess.run(command, env=ports, check=False).returncode == 0


def test_replicas_that_start_together_migrate_one_after_the_other(start, address):
    with psycopg.connect(address, autocommit=True) as another:
        another.execute(LOCK)  # as a third replica would
        replicas = [start("migrate", DB_MIGRATION_RETRIES="0") for _ in range(2)]
        wait_until(lambda: another.execute(WAITING).fetchone() == (2,), within=60)
        assert another.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,)

    said = [ends_well(each) for each in replicas]

    assert sorted("No migrations to apply" in each for each in said) == [False, True], said
    assert sorted("process_order" in each for each in said) == [False, True], said


def test_a_database_that_does_not_answer_is_asked_again_and_then_given_up(start, tmp_path):
    nowhere = f"postgresql://tasker@{str(tmp_path).replace('/', '%2F')}/tasker"

    migrate = start(
        *("orchestrator", "--once"),
        RUN_MIGRATIONS="true",
        DATABASE_URL=nowhere,
        DB_MIGRATION_RETRIES="1",
        DB_MIGRATION_RETRY_DELAY="0.1",
    )

    assert migrate.ends(within=60) == 1
    assert migrate.output.count("trying again in 0.1 s, 1 left") == 1
    assert "The database is not up to date: " in migrate.output


def test_a_replica_that_waits_too_long_for_another_one_gives_up(start, address):
    with psycopg.connect(address, autocommit=True) as another:
        another.execute(LOCK)
        late = start("migrate", DB_MIGRATION_RETRIES="0", DB_MIGRATION_TIMEOUT="0.2")

        assert late.ends(within=60) == 1
        assert "lock timeout" in late.output


def test_an_open_production_is_not_migrated(start):
    careless = start("web", DJANGO_ALLOWED_HOSTS="*")

    assert careless.ends(within=60) == 2
    assert "tasker.E008" in careless.output


def test_the_request_of_readme_is_completed_by_the_roles_of_production(image, start):
    ports = {
        "PORT": str(free_port(0)),
        "TASKER_ORCHESTRATOR_HTTP_PORT": str(free_port(0)),
        "TASKER_WORKER_HTTP_PORT": str(free_port(0)),
    }
    made = image.files()
    web = start("web", **ports)  # migrates first
    api = f"http://127.0.0.1:{ports['PORT']}"
    wait_until(lambda: answers(f"{api}/health/ready", web), within=120)
    engine = [start("orchestrator", **ports), start("worker", "payments", **ports)]
    key = start(
        *("manage", "tasker", "auth", "create-key", "--name", "shop", "-n", "payments"),
        *("--group-permissions", "admin", "--format", "json"),
    )
    [credential] = re.findall(r'"key": "(tsk_[^"]+)"', ends_well(key))

    with Api(f"{api}/v1/", headers={**BEHIND_THE_PROXY, "X-API-Key": credential}) as shop:
        task = shop.create_task(json.loads(SENT))["task_uuid"]
        wait_until(lambda: shop.task(task)["is_resting"], within=60)
        assert shop.task(task)["status"] == "complete", [each.output for each in engine]
        assert [each["current_state"] for each in shop.steps(task)] == ["complete"] * 4

    for name, port in ports.items():
        assert is_healthy(image, **{**dict.fromkeys(ports, "0"), name: port}), name
    assert_closed(api)
    for each in [*reversed(engine), web]:
        each.send(signal.SIGTERM)
        assert each.ends(within=60) == 0, each.output
    assert not is_healthy(image, **ports)
    assert image.files() == made  # so the root may be read-only


def assert_closed(api: str) -> None:
    """Without a credential, over plain http, or under another name nobody is served."""
    with httpx.Client(base_url=api, trust_env=False) as stranger:
        assert stranger.get("/v1/tasks", headers=BEHIND_THE_PROXY).status_code == 401
        assert stranger.get("/v1/tasks", headers={"Host": HOST}).status_code == 301
        other = {**BEHIND_THE_PROXY, "Host": "evil.example"}
        assert stranger.get("/v1/tasks", headers=other).status_code == 400
        looks = stranger.get("/static/orchestration/admin.css", headers=BEHIND_THE_PROXY)
        assert looks.status_code == 200
        assert looks.headers["content-encoding"] == "gzip"  # collected and compressed at build
        assert stranger.get("/admin/login/", headers=BEHIND_THE_PROXY).status_code == 200


def test_the_folder_of_the_image_holds_nothing_that_is_not_needed(image):
    top = {path.name for path in image.folder.iterdir()}

    assert top == {
        *("manage.py", "docker", "staticfiles"),
        *("templates_registry", "orchestration", "workers", "tasker_project"),
    }
    assert Path(image.folder / "staticfiles/orchestration/admin.css.gz").exists()
