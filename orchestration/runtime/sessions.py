"""What the database sessions of an orchestrator or a worker differ in from those of the web.

The settings describe the web's sessions; a process that runs the engine changes its own before it
connects for the first time: its name, so that `pg_stat_activity` tells who is who, and its time
limit. A worker has none, because its handlers use the same connections and may take their time.
"""

from django.conf import settings
from django.db import connections

from orchestration.conf import engine_settings


def name_sessions(kind: str, name: str) -> None:
    """Give every later session of this process its name and its statement timeout."""
    options = connections.settings["default"]["OPTIONS"]
    limit = "0" if kind == "worker" else str(engine_settings().engine_statement_timeout_ms)
    session = {**settings.SESSION_OPTIONS, "statement_timeout": limit}
    options["application_name"] = f"tasker:{kind}:{name}"[:63]
    options["options"] = " ".join(f"-c {key}={value}" for key, value in session.items())
