"""`workers` as a handler's author sees it: names, and imports without Django."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import workers


@pytest.mark.parametrize("name", workers.__all__)
def test_every_exported_name_can_be_imported(name):
    assert getattr(workers, name) is not None
    assert name in dir(workers)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        workers.no_such_name  # type: ignore[attr-defined]  # noqa: B018


def test_handler_modules_import_without_django_being_configured():
    code = (
        "import workers; names = [getattr(workers, name) for name in workers.__all__];"
        "import workers.examples.accounts;"
        "from django.conf import settings; assert not settings.configured;"
        "from workers import HandlerRegistry;"
        "assert HandlerRegistry.instance().list_handlers() == []"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )

    assert done.returncode == 0, done.stderr


def test_the_stub_names_exactly_the_exports():
    stub = ast.parse(Path(workers.__file__).with_suffix(".pyi").read_text())

    names = {
        alias.name: f"{node.module}.{alias.name}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert sorted(names) == workers.__all__
    (listed,) = (ast.literal_eval(each.value) for each in stub.body if isinstance(each, ast.Assign))
    assert listed == workers.__all__
    assert {name: f"{module}.{name}" for name, module in workers._EXPORTS.items()} == {
        name: path for name, path in names.items() if name != "signals"
    }
