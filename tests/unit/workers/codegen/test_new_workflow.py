"""`new_workflow`: which files it writes where, and what it refuses.

That the files work is for `test_generated_code`.
"""

import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import AppConfig, apps
from django.core.management import CommandError, call_command

from templates_registry.schema import load_file


@pytest.fixture
def project(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.BASE_DIR = tmp_path
    for name in ("brew", "pot", "tea"):  # other tests import an app of such a name
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


def run(*args: str) -> str:
    out = StringIO()
    call_command("new_workflow", *args, stdout=out)
    return out.getvalue()


def files_below(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def test_an_app_is_made_beside_manage_py(project):
    out = run("brew-tea", "--app", "tea")

    assert files_below(project / "tea") == [
        "__init__.py",
        "step_handlers.py",
        "task_templates/brew-tea.yaml",
        "tests/__init__.py",
        "tests/test_brew_tea.py",
    ]
    template = load_file(project / "tea" / "task_templates" / "brew-tea.yaml")
    assert str(template) == "tea/brew-tea@1.0.0"
    assert template.all_callables() == ["tea.prepare_brew_tea", "tea.finish_brew_tea"]
    assert 'INSTALLED_APPS in your settings:\n    "tea",\n' in out
    assert f"Try it: pytest {project / 'tea' / 'tests'}\n" in out


def test_app_and_namespace_are_named_like_each_other_or_the_workflow(project):
    run("brew")
    run("serve", "-n", "tea")
    run("pour", "--app", "pot", "-n", "tea")

    found = {
        f"{each.relative_to(project)}": load_file(each).namespace_name
        for each in project.rglob("*.yaml")
    }
    assert found == {
        "brew/task_templates/brew.yaml": "brew",
        "tea/task_templates/serve.yaml": "tea",
        "pot/task_templates/pour.yaml": "tea",
    }


def test_handlers_are_added_to_those_of_the_app(project):
    run("brew", "--app", "tea")
    before = (project / "tea" / "step_handlers.py").read_text()

    run("serve", "--app", "tea")

    after = (project / "tea" / "step_handlers.py").read_text()
    assert after.startswith(before)
    assert "def finish_serve(" in after


def test_an_installed_app_is_found_and_its_package_of_handlers_gets_a_module(project, monkeypatch):
    folder = project / "deep" / "kettle"
    (folder / "step_handlers").mkdir(parents=True)
    config = AppConfig("deep.kettle", type("Module", (), {"__path__": [str(folder)]}))  # type: ignore[arg-type]
    monkeypatch.setattr(apps, "get_app_configs", lambda: [config])

    out = run("boil", "--app", "kettle")

    assert "INSTALLED_APPS" not in out
    assert (folder / "step_handlers" / "boil.py").is_file()
    test = (folder / "tests" / "test_boil.py").read_text()
    assert "from deep.kettle.step_handlers.boil import finish_boil, prepare_boil" in test


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["two words"], "does not do as a name"),
        (["x" * 26], "does not do as a name"),
        (["brew", "--app", "json"], "is a Python module already"),
        (["brew", "--app", "class"], "cannot be the name of an app"),
        (["brew", "--app", "no-app"], "cannot be the name of an app"),
        (["brew", "-n", "Tea"], "INVALID_NAME"),
    ],
)
def test_names_that_cannot_be_used_are_refused(project, args, message):
    with pytest.raises(CommandError, match=message):
        run(*args)

    assert files_below(project) == ["pyproject.toml"]


@pytest.mark.parametrize(
    ("present", "text"),
    [
        ("task_templates/brew.yaml", "name: mine"),
        ("tests/test_brew.py", ""),
        ("step_handlers.py", "finish_brew = 1\n"),
        ("step_handlers.py", "def ("),
    ],
)
def test_nothing_is_overwritten(project, present, text):
    path = project / "tea" / present
    path.parent.mkdir(parents=True)
    path.write_text(text)

    with pytest.raises(CommandError):
        run("brew", "--app", "tea")

    assert files_below(project / "tea") == [present]
    assert path.read_text() == text
