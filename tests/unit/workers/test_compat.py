"""`import tasker_core` means Tasker: installing, uninstalling, and the real package beside it."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.test import override_settings

import workers
from workers import compat
from workers.compat.names import published_modules

HANDLERS = Path(__file__).parents[2] / "handlers" / "compat"
ALLOWED = {"tasker_core", "csv", "httpx", "json", "os", "pathlib", "pydantic"}
WITHOUT_DJANGO = """
import sys
from workers import compat
assert compat.install(force=True)
import tasker_core
import tasker_core.step_handler.functional as functional
from tasker_core.types import StepContext
from tasker_core import *
import workers
assert StepHandler is workers.StepHandler and StepContext is workers.StepContext
assert functional.step_handler is workers.step_handler
import tasker_core._tasker_core as native
assert native.poll_step_events() is None
assert not [name for name, module in sys.modules.items()
            if name.startswith("tasker_core") and not isinstance(module, compat.PublishedModule)]
from django.conf import settings
assert not settings.configured
"""
WITH_REAL_PACKAGE = """
import importlib.util
from workers import compat
try:
    compat.install()
except compat.CompatConflictError as error:
    assert "compat_tasker_core" in str(error), error
else:
    raise AssertionError("not refused")
assert not compat.is_installed()
assert compat.install(force=True)
import tasker_core
assert isinstance(tasker_core, compat.PublishedModule)
compat.uninstall()
assert importlib.util.find_spec("tasker_core").origin.endswith("__init__.py")
"""


@pytest.fixture
def _installed_again():
    """Leave the names as the test profile has them."""
    yield
    compat.install(force=True)


def run(code, *path):
    """Run code in an interpreter without Django's settings."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(map(str, path))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [path for path, _ in published_modules()])
def test_every_published_name_is_an_object_of_ours(path):
    module = importlib.import_module(f"tasker_core.{path}" if path else "tasker_core")

    found = {name: getattr(module, name) for name in module.__all__}

    assert found
    assert set(found) <= set(dir(module))
    defined_in = {getattr(each, "__module__", "workers") for each in found.values()}
    assert not [name for name in defined_in if name and name.startswith("tasker_core")]


def test_a_name_means_the_same_object_in_every_module():
    from tasker_core import HandlerRegistry, StepHandler
    from tasker_core.handler import StepHandler as OfHandler
    from tasker_core.step_handler import StepHandler as OfPackage
    from tasker_core.step_handler.base import StepHandler as OfBase

    assert {StepHandler, OfHandler, OfPackage, OfBase} == {workers.StepHandler}
    assert HandlerRegistry is workers.HandlerRegistry


def test_the_two_trees_of_errors_stay_apart():
    from tasker_core.errors import TaskerError as OfHandlers
    from tasker_core.exceptions import TaskerError as Plain

    assert issubclass(OfHandlers, Plain)
    assert OfHandlers is not Plain
    assert workers.TaskerError is Plain


def test_an_unknown_module_or_name_is_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"tasker_core\.no_such_module"):
        importlib.import_module("tasker_core.no_such_module")
    with pytest.raises(ImportError, match="no_such_name"):
        from tasker_core import no_such_name  # noqa: F401


def test_handler_modules_import_without_django():
    run(WITHOUT_DJANGO)


def test_the_real_package_is_a_conflict_unless_forced(tmp_path):
    package = tmp_path / "tasker_core"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('the real package was imported')")

    run(WITH_REAL_PACKAGE, tmp_path, Path(workers.__file__).parents[1])


@pytest.mark.usefixtures("_installed_again")
def test_uninstalling_takes_every_module_away():
    compat.uninstall()

    assert not compat.is_installed()
    assert not [name for name in sys.modules if name.split(".")[0] == "tasker_core"]
    compat.uninstall()  # again, without effect


@pytest.mark.usefixtures("_installed_again")
@pytest.mark.parametrize(("wish", "is_ours"), [("always", True), ("never", False)])
def test_the_setting_decides(wish, is_ours):
    compat.uninstall()

    with override_settings(TASKER={"compat_tasker_core": wish}):
        apps.get_app_config("workers").ready()

    assert compat.is_installed() is is_ours


@pytest.mark.usefixtures("_installed_again")
def test_the_real_package_wins_by_default(monkeypatch, tmp_path, caplog):
    (tmp_path / "tasker_core.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    compat.uninstall()

    with (
        override_settings(TASKER={"compat_tasker_core": "auto"}),
        caplog.at_level("DEBUG", "workers.apps"),
    ):
        apps.get_app_config("workers").ready()

    assert not compat.is_installed()
    assert "compat.skipped" in caplog.messages


def test_handlers_of_the_acceptance_test_know_the_published_package_only():
    for file in HANDLERS.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            assert {name.split(".")[0] for name in names} <= ALLOWED, file
