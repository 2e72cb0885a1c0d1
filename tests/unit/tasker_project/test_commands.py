"""Every command of ours can be asked what it does."""

import io

import pytest
from django.core.management import get_commands, load_command_class

PACKAGES = ("tasker_project", "templates_registry", "orchestration", "workers")
OURS = sorted((name, app) for name, app in get_commands().items() if app in PACKAGES)


@pytest.mark.parametrize(("name", "app"), OURS)
def test_help_says_what_a_command_does(name, app):
    text = io.StringIO()

    load_command_class(app, name).create_parser("manage.py", name).print_help(text)

    assert f"manage.py {name}" in text.getvalue()
