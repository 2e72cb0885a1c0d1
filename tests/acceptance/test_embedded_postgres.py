"""The embedded PostgreSQL with real clients: one server for all, none when the last is gone.

Each test has a data folder of its own. A client is a Python process that connects through Django,
says what it sees, and waits.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasker_project.embedded import postmaster
from tasker_project.embedded.launcher import EmbeddedServer
from tests.processes import PROJECT, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]

CLIENT = """
import sys, django
django.setup()
from django.db import connections

def ask():
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_postmaster_start_time()::text, pg_backend_pid()")
        return cursor.fetchone()[0]

print(ask(), flush=True)
for line in sys.stdin:
    try:
        answer = ask()
    except Exception as error:
        answer = type(error).__name__
    connections["default"].close()
    print(answer, flush=True)
"""


class Client:
    """One process with a connection; `ask()` makes it ask the server again."""

    def __init__(self, root: Path, *, user: str | None = None, **environment: str) -> None:
        given = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "TASKER_"))}
        given |= {"TASKER_ENV": "test", "TASKER_DATA_DIR": str(root)}
        self.child = subprocess.Popen(
            [sys.executable, "-c", CLIENT],
            env={**given, "DJANGO_SETTINGS_MODULE": "tasker_project.settings", **environment},
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            user=user,
        )

    def hears(self, within: float = 30.0) -> str:
        """Return the next line that the client prints."""
        assert self.child.stdout is not None
        ready, _, _ = select.select([self.child.stdout], [], [], within)
        line = self.child.stdout.readline().strip() if ready else ""
        if not line:
            self.child.kill()
            raise AssertionError(self.child.communicate()[1])
        return line

    def ask(self) -> str:
        """Make the client run its query again and return what it saw."""
        assert self.child.stdin is not None
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        return self.hears()

    def leave(self) -> None:
        """Let the client end in an orderly way."""
        self.child.communicate(timeout=30)

    def kill(self) -> None:
        """Kill the client."""
        self.child.kill()
        self.child.communicate()


@pytest.fixture
def clients(tmp_path):
    started = []

    def start(root=tmp_path, **environment):
        started.append(Client(root, **environment))
        return started[-1]

    yield start
    for client in started:
        if client.child.poll() is None:
            client.kill()


def _is_gone(root: Path) -> bool:
    return not postmaster.is_running(EmbeddedServer(root).data)


def test_five_processes_on_an_empty_folder_share_one_server_until_the_last_is_gone(
    clients, tmp_path
):
    five = [clients() for _ in range(5)]

    starts = {client.hears() for client in five}

    assert len(starts) == 1
    for client in five[:4]:
        client.leave()
    assert {five[4].ask()} == starts
    five[4].leave()
    wait_until(lambda: _is_gone(tmp_path), within=10)


def test_server_ends_at_once_with_an_only_client_that_leaves(clients, tmp_path):
    client = clients()
    client.hears()

    client.leave()

    assert _is_gone(tmp_path)


def test_server_ends_after_its_only_client_was_killed(clients, tmp_path):
    client = clients()
    client.hears()

    client.kill()

    wait_until(lambda: _is_gone(tmp_path), within=10)


def test_server_serves_on_when_one_of_two_clients_is_killed(clients, tmp_path):
    first, second = clients(), clients()
    start = {first.hears(), second.hears()}

    first.kill()
    time.sleep(0.5)  # nothing may happen, so there is nothing to wait for

    assert {second.ask()} == start
    second.leave()
    wait_until(lambda: _is_gone(tmp_path), within=10)


@pytest.mark.parametrize("pool", ["0-0", "2-4"])
def test_next_connection_works_after_the_server_was_killed(clients, tmp_path, pool):
    client = clients(TASKER_DB_POOL_SIZE=pool)
    start = client.hears()
    pid = postmaster.pid_of(EmbeddedServer(tmp_path).data)
    assert pid

    os.kill(pid, signal.SIGKILL)
    answers = [client.ask() for _ in range(4)]

    assert answers[-1].startswith("20")
    assert answers[-1] > start
    client.leave()
    wait_until(lambda: _is_gone(tmp_path), within=10)


def test_next_client_works_after_client_keeper_and_server_were_killed(clients, tmp_path):
    client = clients()
    start = client.hears()
    data = EmbeddedServer(tmp_path).data
    pid = postmaster.pid_of(data)
    assert pid
    for keeper in _keepers(tmp_path):
        os.kill(keeper, signal.SIGKILL)
    client.kill()
    assert postmaster.is_running(data)  # nobody is left to stop it

    second = clients()

    assert second.hears() == start
    second.kill()
    wait_until(lambda: _is_gone(tmp_path), within=10)


def _keepers(root: Path) -> list[int]:
    """Return the processes that keep the server of this folder."""
    words = {os.fsencode(EmbeddedServer(root).home), b"keep"}
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words <= set(entry.read_bytes().split(b"\0")):
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def test_data_are_kept_by_a_second_start(clients, tmp_path):
    client = clients()
    first = client.hears()
    client.leave()

    again = clients()

    assert again.hears() > first
    again.leave()


def test_folder_with_a_long_path_and_odd_letters_works(clients, tmp_path):
    root = tmp_path / ("long " * 12) / "it's" / ("deep" * 12)
    client = clients(root)

    assert client.hears()
    client.leave()
    assert _is_gone(root)


def test_socket_is_reachable_for_its_owner_only(clients, tmp_path):
    client = clients()
    client.hears()

    folder = EmbeddedServer(tmp_path).socket_folder

    assert folder.stat().st_mode & 0o777 == 0o700
    client.leave()


def test_settings_start_nothing(tmp_path):
    environment = {**os.environ, "TASKER_DATA_DIR": str(tmp_path), "TASKER_ENV": "test"}
    environment.pop("DATABASE_URL", None)

    subprocess.run(
        [sys.executable, "manage.py", "check"], env=environment, cwd=PROJECT, check=True, timeout=60
    )

    assert list(tmp_path.iterdir()) == []


def test_production_refuses_the_embedded_server(tmp_path):
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "TASKER_"))},
        "TASKER_DATA_DIR": str(tmp_path),
        "TASKER_ENV": "development",
        "DJANGO_DEBUG": "false",
        "DJANGO_SETTINGS_MODULE": "tasker_project.settings",
    }

    done = subprocess.run(
        [sys.executable, "-c", CLIENT],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert "Set DATABASE_URL, or TASKER_ALLOW_EMBEDDED=1" in done.stderr
    assert list(tmp_path.iterdir()) == []


def _nobody_can_enter(folder: Path) -> bool:
    return all(each.stat().st_mode & 0o001 for each in [folder, *folder.parents])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has two ways")
@pytest.mark.skipif(
    not _nobody_can_enter(Path(sys.prefix).resolve()), reason="nobody cannot reach the programs"
)
def test_root_serves_as_nobody_where_unshare_is_refused(clients, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    refusing = programs / "unshare"
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)
    root = Path(f"/tmp/tasker-nobody-{os.getpid()}")  # noqa: S108 - pytest's own folder is 0700

    try:
        client = clients(root, PATH=f"{programs}:{os.environ['PATH']}")

        assert client.hears()
        home = EmbeddedServer(root).home
        assert (home / "way").read_text() == "nobody\n"
        assert (home / "data").stat().st_uid != 0
        client.leave()
        assert _is_gone(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.skipif(
    not _nobody_can_enter(Path(sys.prefix).resolve())
    or not _nobody_can_enter(Path(sys.executable).resolve().parent),
    reason="nobody cannot reach the programs or Python",
)
def test_ordinary_user_serves_as_itself(clients):
    root = Path(f"/tmp/tasker-ordinary-{os.getpid()}")  # noqa: S108 - pytest's own folder is 0700
    root.mkdir()
    shutil.chown(root, "nobody")
    try:
        client = clients(root, user="nobody", PYTHONDONTWRITEBYTECODE="1", HOME=str(root))

        assert client.hears()
        assert (EmbeddedServer(root).home / "way").read_text() == "plain\n"
        client.kill()
        wait_until(lambda: _is_gone(root), within=10)
    finally:
        shutil.rmtree(root, ignore_errors=True)
