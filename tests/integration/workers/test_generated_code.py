"""Generated code as its users meet it: ruff, mypy and pytest run on it, as programs of their own.

One project holds what is generated for every kind of template, so that each tool runs once.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import call_command

from templates_registry.registry.sources import EXAMPLES
from tests.factories.codegen import BATCHES, HOSTILE, big_template
from tests.processes import PROJECT

PARCEL = PROJECT / "tests/unit/templates_registry/parcel_return.yaml"
pytestmark = pytest.mark.timeout(400)


def run(folder: Path, *command: str) -> str:
    """Run a tool on a folder as its project, and fail with what it says unless it is content."""
    variables = {
        **os.environ,
        "PYTHONPATH": f"{PROJECT}{os.pathsep}{folder}",
        "MYPYPATH": str(folder),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=PROJECT if command[0] == "mypy" else folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lint(folder: Path) -> None:
    run(folder, "ruff", "check", "--no-cache", ".")
    run(folder, "ruff", "format", "--no-cache", "--diff", ".")


def check_types(folder: Path) -> None:
    run(folder, "mypy", "--config-file", str(PROJECT / "pyproject.toml"), str(folder))


def run_tests(folder: Path) -> str:
    plugins = ["-p", "no:cacheprovider", "-p", "no:randomly"]
    return run(folder, "pytest", "-q", "-c", os.devnull, "--rootdir", ".", *plugins, ".")


def project_in(folder: Path, line_length: int) -> Path:
    """Make a project with the rules of this one, at another length of lines."""
    text = (PROJECT / "pyproject.toml").read_text()
    assert "line-length = 100\n" in text
    (folder / "pyproject.toml").write_text(
        text.replace("line-length = 100\n", f"line-length = {line_length}\n")
    )
    return folder


def package(folder: Path) -> Path:
    folder.mkdir()
    (folder / "__init__.py").touch()
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with a scaffold, and handlers with tests and types, of several templates."""
    root = project_in(tmp_path_factory.mktemp("generated"), line_length=88)
    texts = {
        "order": (EXAMPLES / "process_order.yaml").read_text(),
        "parcel": PARCEL.read_text(),
        "batches": BATCHES,
        "wild": HOSTILE,
    }
    for name, text in texts.items():
        template = root / f"{name}.yaml"
        template.write_text(text, encoding="utf-8")
        call_command("generate_scaffold", f"-t{template}", f"-o{package(root / name)}")
        plain = package(root / f"{name}_plain")
        call_command("generate_handlers", f"-t{template}", f"-o{plain / 'work.py'}", "--with-tests")
        call_command("generate_types", f"-t{template}", f"-o{plain / 'models.py'}")
    call_command("generate_scaffold", f"-t{root / 'order.yaml'}", f"-o{root / 'loose'}")
    return root


def test_generated_code_passes_ruff_at_the_usual_lengths_of_lines(project):
    lint(project)
    lint(project_in(project, line_length=100))


def test_generated_code_passes_mypy(project):
    check_types(project)


def test_generated_tests_pass_as_generated(project):
    answer = run_tests(project)

    assert " passed" in answer
    assert "failed" not in answer


@pytest.mark.django_db
def test_a_new_workflow_works_as_written(tmp_path, settings, monkeypatch):
    settings.BASE_DIR = project_in(tmp_path, line_length=88)
    monkeypatch.syspath_prepend(str(tmp_path))
    call_command("new_workflow", "brew-tea", "--app", "kettle_of_tests")
    call_command("new_workflow", "serve", "--app", "kettle_of_tests")

    lint(tmp_path)
    for name in ("brew_tea", "serve"):
        tests = vars(import_module(f"kettle_of_tests.tests.test_{name}"))
        for test in (each for each in tests if each.startswith("test_")):
            tests[test]()


@pytest.mark.benchmark
def test_code_of_300_steps(tmp_path):
    """Print how long it takes to generate, lint, check and test the code of a big template."""
    template = project_in(tmp_path, line_length=88) / "big.yaml"
    template.write_text(big_template(300))
    folder = package(tmp_path / "big")
    jobs: dict[str, Callable[[], object]] = {
        "generate": lambda: call_command("generate_scaffold", f"-t{template}", f"-o{folder}"),
        "ruff": lambda: lint(tmp_path),
        "mypy": lambda: check_types(tmp_path),
        "pytest": lambda: run_tests(tmp_path),
    }
    for name, job in jobs.items():
        start = time.monotonic()
        job()
        print(f"{name}: {time.monotonic() - start:.1f} s")  # noqa: T201 - what it is for
