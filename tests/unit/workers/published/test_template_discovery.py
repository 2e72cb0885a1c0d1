"""The static helpers that look into template files."""

from pathlib import Path

import pytest

from workers import HandlerDiscovery, TemplateParser, TemplatePath

SHOP = """
name: sell
namespace_name: shop
version: 1.10
description: Sells
steps:
  - {name: a, handler: {callable: shop.Pay}}
  - {name: b, handler: shop.ship, dependencies: [a]}
  - {name: c, handler: {callable: shop.Pay}}
"""
BANK = "name: lend\nnamespace: bank\nversion: 1.0.0\nsteps: [{name: a, handler: bank.lend}]\n"


@pytest.fixture
def folder(tmp_path):
    """Return a folder with two templates, a broken file, and what is none."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "sell.yaml").write_text(SHOP)
    (tmp_path / "deep" / "lend.yml").write_text(BANK)
    (tmp_path / "broken.yaml").write_text("steps: [")
    (tmp_path / "list.yaml").write_text("- 1")
    (tmp_path / "notes.txt").write_text(SHOP)
    return tmp_path


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """Stand in an empty folder, without any variable that names another."""
    for name in ("TASKER_TEMPLATE_PATH", "WORKSPACE_PATH", "TASKER_ENV"):
        monkeypatch.delenv(name, raising=False)
    here = tmp_path / "nowhere"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def test_template_files_are_found_below_a_folder(folder):
    found = TemplatePath.discover_template_files(folder)

    names = {path.relative_to(folder).as_posix() for path in found}
    assert names == {"sell.yaml", "deep/lend.yml", "broken.yaml", "list.yaml"}
    assert TemplatePath.discover_template_files(folder / "missing") == []


def test_callables_are_listed_once_in_order(folder):
    assert TemplateParser.extract_handler_callables(folder / "sell.yaml") == [
        "shop.Pay",
        "shop.ship",
    ]
    assert TemplateParser.extract_handlers_from_template({"steps": [{"handler": "x"}, 3]}) == ["x"]
    assert TemplateParser.extract_handlers_from_template({}) == []


def test_metadata_keeps_the_text_of_the_version(folder):
    assert TemplateParser.extract_template_metadata(folder / "sell.yaml") == {
        "name": "sell",
        "namespace": "shop",
        "version": "1.10",
        "description": "Sells",
        "handlers": ["shop.Pay", "shop.ship"],
        "path": str(folder / "sell.yaml"),
    }


@pytest.mark.parametrize("name", ["broken.yaml", "list.yaml", "missing.yaml"])
def test_unreadable_files_give_empty_answers(folder, name):
    assert TemplateParser.extract_handler_callables(folder / name) == []
    assert TemplateParser.extract_template_metadata(folder / name) == {}


def test_all_templates_of_a_folder_are_looked_at(folder):
    assert HandlerDiscovery.discover_all_handlers(folder) == ["bank.lend", "shop.Pay", "shop.ship"]
    metadata = HandlerDiscovery.discover_template_metadata(folder)
    assert sorted(each["name"] for each in metadata) == ["lend", "sell"]
    assert HandlerDiscovery.discover_handlers_by_namespace(folder) == {
        "bank": ["bank.lend"],
        "shop": ["shop.Pay", "shop.ship"],
    }


def test_folders_are_searched_in_the_published_order(nowhere: Path, monkeypatch):
    find = TemplatePath.find_template_config_directory
    assert find() is None

    def make(*parts: str) -> Path:
        folder = nowhere.joinpath(*parts)
        folder.mkdir(parents=True)
        return folder

    expected = make("config", "tasks")
    assert find() == expected
    workspace = make("workspace")
    monkeypatch.setenv("WORKSPACE_PATH", str(workspace))
    assert find() == expected  # it has no templates yet
    assert make("workspace", "config", "tasks") == find()
    monkeypatch.setenv("TASKER_ENV", "test")
    assert make("workspace", "tests", "fixtures", "task_templates") == find()
    given = make("given")
    monkeypatch.setenv("TASKER_TEMPLATE_PATH", str(given))
    assert find() == given


def test_the_project_is_where_its_marker_is(nowhere, monkeypatch):
    (nowhere / "pyproject.toml").write_text("")
    tasks = nowhere / "config" / "tasks"
    tasks.mkdir(parents=True)
    below = nowhere / "src" / "shop"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)

    assert TemplatePath.find_template_config_directory() == tasks
