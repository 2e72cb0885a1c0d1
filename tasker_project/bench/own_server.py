"""A PostgreSQL of the measurement's own: it is stopped, or loads what the usual one does not.

The embedded server in a temporary folder. The whole process is connected to it meanwhile, and so
are the children, which get its address like any other (`DATABASE_URL`): they do not know that it is
an embedded one, and cannot start it themselves.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.core.management import call_command

from tasker_project.bench.database import connected_to
from tasker_project.bench.shapes import register_shapes
from tasker_project.embedded import postmaster
from tasker_project.embedded.launcher import EmbeddedServer


@contextmanager
def own_server(
    *, major: str = "", options: Mapping[str, str] | None = None
) -> Iterator[EmbeddedServer]:
    """Run an empty server, connect this process to it, and remove both afterwards."""
    with tempfile.TemporaryDirectory(prefix="tasker-bench-pg-") as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - root's server runs as another user; data is 0700
        server = EmbeddedServer(Path(folder), major=major, options=options)
        server.ensure()
        try:
            with connected_to(server.database_settings()):
                call_command("migrate", verbosity=0)
                register_shapes()
                yield server
        finally:
            server.release()


def restart(server: EmbeddedServer) -> tuple[float, float]:
    """Stop the server as its package would and start it; return both moments (`time.time`)."""
    stopped_at = time.time()
    postmaster.stop(server.data)
    server.ensure()
    return stopped_at, time.time()
