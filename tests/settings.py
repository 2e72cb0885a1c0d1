"""The project's settings in the test profile; child processes inherit both variables."""

import os

os.environ["TASKER_ENV"] = "test"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tasker_project.settings import *  # noqa: F403
