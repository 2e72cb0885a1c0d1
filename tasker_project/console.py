"""The console script `tasker`: the same program as `manage.py tasker`."""

import os
import sys


def main() -> None:
    """Run one verb with the settings of the project, unless others are named."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tasker_project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line([sys.argv[0], "tasker", *sys.argv[1:]])
