"""What docs/handlers.md says about testing is true of the workflow that README makes."""

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
TEXT = "\n".join((ROOT / name).read_text() for name in ("README.md", "docs/handlers.md"))


def block(language: str, containing: str) -> str:
    """Return the one fenced code of both that contains a text."""
    fence = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    (found,) = (code for code in fence.findall(TEXT) if containing in code)
    return str(found)


@pytest.fixture
def tea(tmp_path, monkeypatch, settings, isolated_registry) -> dict[str, Callable[[], Any]]:
    """Make the app of README and return the functions of its test module."""
    app = tmp_path / "tea"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "brew.yaml").write_text(block("yaml", "name: brew"))
    (app / "step_handlers.py").write_text(block("python", '@step_handler("tea.boil_water")'))
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("tea", "tea.step_handlers"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    settings.TASKER = {**settings.TASKER, "template_paths": (str(app),)}
    assert isolated_registry.discover_handlers("tea") == 2
    module: dict[str, Any] = {}
    exec(block("python", "run_inline("), module)  # noqa: S102 - it is our own text
    return {name: each for name, each in module.items() if name.startswith("test_")}


@pytest.mark.django_db
def test_the_tests_of_the_docs_pass(tea):
    assert len(tea) == 2
    for test in tea.values():
        assert not inspect.signature(test).parameters
        test()
