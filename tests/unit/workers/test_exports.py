"""`workers` as a handler's author sees it: names, and imports without Django."""

import subprocess
import sys

import pytest

import workers


@pytest.mark.parametrize("name", workers.__all__)
def test_every_exported_name_can_be_imported(name):
    assert getattr(workers, name) is not None
    assert name in dir(workers)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        workers.no_such_name  # noqa: B018 - the access is what is tested


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
