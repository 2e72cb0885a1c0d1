"""Migration operations for versioned SQL files and for PGMQ.

`SQLFunction("name", 2)` runs `functions/name_v02.sql`; its reverse runs version 1, or drops the
function when there is none. A released file is never edited: the next version is a new file.
"""

from importlib import metadata
from pathlib import Path
from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.special import RunSQL

from orchestration import sql


class SQLFile(RunSQL):
    """One version of one database object kept in a file."""

    folder = ""
    drop = ""

    def __init__(self, name: str, version: int = 1) -> None:
        self.name, self.version = name, version
        previous = self._text(version - 1) if version > 1 else self.drop.format(name=name)
        super().__init__(self._text(version), previous)

    def _text(self, version: int) -> str:
        return sql.read(f"{self.folder}/{self.name}_v{version:02}.sql")

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how a migration writes this operation."""
        return type(self).__name__, [self.name, self.version], {}

    def describe(self) -> str:
        """Return the line that `migrate --plan` shows."""
        return f"{type(self).__name__} {self.name} v{self.version:02}"


class SQLFunction(SQLFile):
    """One SQL or PL/pgSQL function."""

    folder = "functions"
    drop = "DROP FUNCTION {name};"


class SQLTrigger(SQLFile):
    """A trigger function with its triggers; dropping the function drops them too."""

    folder = "triggers"
    drop = "DROP FUNCTION {name} CASCADE;"


class SQLView(SQLFile):
    """One view."""

    folder = "views"
    drop = "DROP VIEW {name};"


def shipped_pgmq_version() -> str:
    """Return the version of PGMQ's SQL that the installed `pgmq` distribution ships."""
    return _pgmq_file("VERSION").read_text("utf-8").strip()


def _pgmq_file(name: str) -> Path:
    """Find a file of the `pgmq` distribution without importing it (importing takes 0.1 s)."""
    for entry in metadata.files("pgmq") or ():
        if entry.name == name and "sql" in entry.parts:
            return Path(str(entry.locate()))
    raise FileNotFoundError(f"The distribution 'pgmq' ships no {name}; reinstall requirements")


# The comment on the schema is the record of what is installed and by whom.
INSTALLED_FROM_SQL = "PGMQ {version}, installed by Tasker from SQL"
INSTALLED_AS_EXTENSION = "PGMQ, installed by Tasker as an extension"

_PARTS_OF_PGMQ = """
SELECT format('DROP FUNCTION %s', p.oid::regprocedure)
FROM pg_proc AS p
WHERE p.pronamespace = 'pgmq'::regnamespace
UNION ALL
SELECT format('DROP TYPE %s', t.oid::regtype)
FROM pg_type AS t
JOIN pg_class AS c ON c.oid = t.typrelid AND c.relkind = 'c'
WHERE t.typnamespace = 'pgmq'::regnamespace
"""


def install_pgmq(cursor: Any) -> None:
    """Install PGMQ unless the database has it: the extension where offered, else its SQL file."""
    cursor.execute("SELECT to_regclass('pgmq.meta') IS NOT NULL")
    if cursor.fetchone()[0]:
        return
    cursor.execute("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pgmq')")
    if cursor.fetchone()[0]:
        cursor.execute("CREATE EXTENSION pgmq")
        _comment(cursor, INSTALLED_AS_EXTENSION)
    else:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS pgmq")
        _run_shipped_sql(cursor)


def remove_pgmq(cursor: Any) -> None:
    """Remove PGMQ with its queues if `install_pgmq` brought it; else leave it alone."""
    comment = pgmq_comment(cursor)
    if comment == INSTALLED_AS_EXTENSION:
        cursor.execute("DROP EXTENSION pgmq CASCADE")
        cursor.execute("DROP SCHEMA IF EXISTS pgmq CASCADE")
    elif comment and comment.endswith("by Tasker from SQL"):
        cursor.execute("DROP SCHEMA pgmq CASCADE")


def upgrade_pgmq(cursor: Any) -> None:
    """Bring PGMQ to the version that is shipped or offered; queues and messages stay.

    The SQL file is not idempotent, so its functions and types are dropped first; tables stay. Call
    it in one transaction.
    """
    comment = pgmq_comment(cursor)
    if comment is None or not comment.endswith("by Tasker from SQL"):
        cursor.execute("ALTER EXTENSION pgmq UPDATE")
        return
    cursor.execute(_PARTS_OF_PGMQ)
    for (statement,) in cursor.fetchall():
        cursor.execute(statement)
    _run_shipped_sql(cursor)


def pgmq_comment(cursor: Any) -> str | None:
    """Return the record of the installation, None when somebody else installed PGMQ."""
    cursor.execute("SELECT obj_description(to_regnamespace('pgmq'), 'pg_namespace')")
    comment: str | None = cursor.fetchone()[0]
    return comment if comment and "by Tasker" in comment else None


def _run_shipped_sql(cursor: Any) -> None:
    # No parameters: the text runs as it is, many statements at once, without % escapes.
    cursor.execute(_pgmq_file("pgmq.sql").read_text("utf-8"))
    _comment(cursor, INSTALLED_FROM_SQL.format(version=shipped_pgmq_version()))


def _comment(cursor: Any, text: str) -> None:
    cursor.execute("SELECT format('COMMENT ON SCHEMA pgmq IS %%L', %s::text)", [text])
    cursor.execute(cursor.fetchone()[0])


class InstallPgmq(Operation):
    """Make sure that PGMQ is there; backwards, remove only what was made."""

    reduces_to_sql = False
    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change no model."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Install."""
        with schema_editor.connection.cursor() as cursor:
            install_pgmq(cursor)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Remove what `database_forwards` made."""
        with schema_editor.connection.cursor() as cursor:
            remove_pgmq(cursor)

    def describe(self) -> str:
        """Return the line that `migrate --plan` shows."""
        return "Install PGMQ"
