"""Everything on one machine: a prepared database, then web, orchestrator and workers as children.

What `manage.py dev` and `manage.py demo` have in common. The children are the real commands, found
by the same settings and the same database as this process; each prints through its group.
"""

import secrets
import socket
import sys
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connections

from orchestration.conf import engine_settings
from tasker_project.processes import ProcessGroup, free_port, manage
from workers.conf import worker_settings

ADMIN = "admin"
WEB_THREADS = 8


class Login(NamedTuple):
    """Name and password of the admin user; the password is known only where it was just made."""

    name: str
    password: str | None


class Addresses(NamedTuple):
    """Where the web process answers."""

    admin: str
    api: str


def prepare_database(*, verbosity: int = 0) -> Login:
    """Apply the migrations, register the templates, and have an admin user."""
    call_command("migrate", verbosity=verbosity, interactive=False)
    with suppress(SystemExit):  # it has said which template is broken; the others work
        call_command("sync_templates", verbosity=verbosity)
    login = _admin()
    connections.close_all()
    return login


def _admin() -> Login:
    """Make the admin user unless there is one; only a new one's password can be told."""
    users = get_user_model()._default_manager
    if users.filter(username=ADMIN).exists():
        return Login(ADMIN, None)
    password = secrets.token_urlsafe(12)
    user = users.create(username=ADMIN, is_staff=True, is_superuser=True)
    user.set_password(password)
    user.save()
    return Login(ADMIN, password)


def start_stack(group: ProcessGroup, *, port: int, workers: int) -> Addresses:
    """Start the processes; taken ports are replaced by free ones."""
    host = engine_settings().http_bind
    address = f"{host}:{free_port(port, host=host)}"
    group.start("web", web_command(address))
    status = free_port(engine_settings().orchestrator_http_port, host=host)
    group.start("orchestrator", manage("run_orchestrator", "--http-port", str(status)))
    for number in range(workers):
        name = "worker" if workers == 1 else f"worker-{number + 1}"
        status = free_port(worker_settings().worker_http_port + number, host=host)
        group.start(name, manage("run_worker", "--http-port", str(status)))
    return Addresses(admin=f"http://{address}/admin/", api=f"http://{address}/v1/")


def answers(addresses: Addresses) -> bool:
    """Tell whether the web process takes connections by now."""
    at = urlsplit(addresses.admin)
    with suppress(OSError), socket.create_connection((at.hostname, at.port), timeout=1):
        return True
    return False


def web_command(address: str, *, processes: int = 1) -> list[str]:
    """Return the command line of the web process: processes under one parent, some threads each."""
    return [
        *[sys.executable, "-m", "gunicorn", "tasker_project.wsgi", "--bind", address],
        *["--worker-class", "gthread", "--threads", str(WEB_THREADS), "--log-level", "warning"],
        *["--no-control-socket", "--workers", str(processes)],
    ]
