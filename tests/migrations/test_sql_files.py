"""Every SQL file is used: objects by exactly one migration, statements by exactly one caller.

The columns of a statement are those of the row type that its caller names; the server describes
the statement without running it.
"""

import ast
import importlib
import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from orchestration import sql
from orchestration.sql.operations import SQLFile

SQL = Path(str(files("orchestration.sql")))
PROJECT = SQL.parent.parent
CALLERS = [*sorted((SQL.parent / "queries").glob("*.py")), SQL.parent / "messaging" / "pgmq.py"]
OBJECT_FOLDERS = ("functions", "triggers", "views")
STATEMENT_CALLS = ("fetch", "scalar", "execute")


class Call(NamedTuple):
    """One call of `sql.fetch`, `scalar` or `execute` with a literal name."""

    module: str
    row_type: str | None
    query: str
    parameters: frozenset[str]


def calls() -> Iterator[Call]:
    for path in CALLERS:
        module = ".".join(path.relative_to(PROJECT).with_suffix("").parts)
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if not (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "sql"
                and node.func.attr in STATEMENT_CALLS
            ):
                continue
            row_type = node.args[0].id if isinstance(node.args[0], ast.Name) else None
            for query in expand(node.args[-1], tree):
                yield Call(module, row_type, query, frozenset(k.arg or "**" for k in node.keywords))


def expand(name: ast.expr, tree: ast.Module) -> list[str]:
    """Return the files that a name can stand for: a text, a choice of texts, or an f-string."""
    if isinstance(name, ast.Constant):
        return [str(name.value)]
    if isinstance(name, ast.Name):
        return [
            str(text.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name.id
            for text in (getattr(node.value, "body", node.value), getattr(node.value, "orelse", 0))
            if isinstance(text, ast.Constant)
        ]
    assert isinstance(name, ast.JoinedStr), ast.dump(name)
    pattern = "".join(str(p.value) if isinstance(p, ast.Constant) else "*" for p in name.values)
    found = sorted((SQL / "queries").glob(f"{pattern}.sql"))
    return [str(path.relative_to(SQL / "queries").with_suffix("")) for path in found]


ALL_CALLS = list(calls())
FETCHES = [call for call in ALL_CALLS if call.row_type is not None]


def test_calls_were_found():
    assert len(FETCHES) > 20
    assert {"readiness/task_contexts", "invariants/i9"} <= {call.query for call in FETCHES}


@pytest.mark.django_db
def test_every_object_file_is_installed_by_exactly_one_migration():
    loader = MigrationLoader(connections["default"])
    installed = Counter(
        f"{operation.folder}/{operation.name}_v{operation.version:02}"
        for migration in loader.disk_migrations.values()
        for operation in migration.operations
        if isinstance(operation, SQLFile)
    )
    there = {
        f"{folder}/{path.stem}" for folder in OBJECT_FOLDERS for path in (SQL / folder).iterdir()
    }

    assert there - set(installed) == set(), "a file that no migration installs"
    assert set(installed) - there == set(), "a migration without its file"
    assert [name for name, times in installed.items() if times > 1] == []


@pytest.mark.parametrize(
    "path",
    [path for folder in OBJECT_FOLDERS for path in sorted((SQL / folder).iterdir())],
    ids=lambda path: path.stem,
)
def test_an_object_file_says_its_purpose_and_creates_what_its_name_says(path):
    text = path.read_text("utf-8")
    name = path.stem.rpartition("_v")[0]

    assert text.startswith("-- ")
    assert re.search(rf"^CREATE (OR REPLACE )?(FUNCTION|VIEW) {name}\b", text, re.MULTILINE)


def test_every_statement_has_a_caller():
    there = {
        str(path.relative_to(SQL / "queries").with_suffix(""))
        for path in (SQL / "queries").rglob("*.sql")
    }

    assert there - {call.query for call in ALL_CALLS} == set()
    assert {call.query for call in ALL_CALLS} - there == set()


@pytest.mark.parametrize(
    "call",
    [call for call in ALL_CALLS if "**" not in call.parameters],  # ** = passes a mapping on
    ids=lambda call: call.query,
)
def test_a_statement_takes_the_parameters_that_its_caller_gives(call):
    text = sql.read(f"queries/{call.query}.sql")
    assert text.startswith("-- ")
    assert set(re.findall(r"%\((\w+)\)s", text)) == call.parameters


@pytest.mark.django_db
@pytest.mark.parametrize("call", FETCHES, ids=lambda call: call.query)
def test_the_row_type_names_the_columns_of_the_statement(call):
    row_type: Any = getattr(importlib.import_module(call.module), str(call.row_type))

    assert described(call.query) == list(row_type._fields)


def described(query: str) -> list[str]:
    """Return the names of a statement's columns as the server tells them, without running it."""
    text = sql.read(f"queries/{query}.sql")
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    for number, name in enumerate(names, 1):
        text = text.replace(f"%({name})s", f"${number}")
    with connections["default"].cursor() as cursor:
        wire = cursor.connection.pgconn
        wire.prepare(b"described", text.replace("%%", "%").encode())
        answer = wire.describe_prepared(b"described")
        assert answer.error_message == b"", answer.error_message.decode()
        cursor.execute("DEALLOCATE described")
        return [answer.fname(place).decode() for place in range(answer.nfields)]
