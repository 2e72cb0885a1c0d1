"""Imports: sections as ruff sees them from where a file stands, names in its order."""

from pathlib import Path

import pytest

from workers.codegen.imports import Import, from_statement, import_lines, import_of, sections_of


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "shop").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "deep.py").touch()
    return tmp_path


def test_sections_follow_from_the_project(project):
    section = sections_of(project / "shop" / "nested", planned=[project / "new.py"])

    found = {each: section(each) for each in ("ast", "pydantic", "shop", "deep", "new", "other")}

    assert found == {"ast": 0, "pydantic": 1, "shop": 2, "deep": 2, "new": 2, "other": 1}


def test_without_a_project_the_working_folder_counts(tmp_path, monkeypatch, project):
    monkeypatch.chdir(project)

    assert sections_of(Path("/nowhere/at/all"))("shop") == 2


def test_statements_are_sorted(project):
    wanted = [
        Import("shop", "models"),
        Import("workers", "step_handler"),
        Import("workers", "BatchConfig"),
        Import("workers", "Batchable"),
        Import("typing", "Any"),
        Import("ast"),
    ]

    assert import_lines(wanted, sections_of(project)) == [
        "import ast",
        "from typing import Any",
        "",
        "from workers import Batchable, BatchConfig, step_handler",
        "",
        "from shop import models",
    ]
    assert import_lines([], sections_of(project)) == []


def test_a_long_statement_has_one_name_a_line():
    text = from_statement("somewhere", [f"name_{number}" for number in range(12)])

    assert text.startswith("from somewhere import (\n    name_0,\n")
    assert text.endswith(",\n)")


def test_published_names_come_from_where_they_were_published():
    assert import_of("step_handler", "workers") == Import("workers", "step_handler")
    assert import_of("step_handler", "tasker_core").module == "tasker_core.step_handler"
    assert import_of("StepContext", "tasker_core") == Import("tasker_core", "StepContext")
