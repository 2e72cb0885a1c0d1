"""The project's settings in the test profile; child processes inherit both variables."""

import os

os.environ["TASKER_ENV"] = "test"
os.environ.pop("DATABASE_DIRECT_URL", None)  # names another database than the tests use
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tasker_project.settings import *  # noqa: F403

REST_FRAMEWORK = {**REST_FRAMEWORK, "TEST_REQUEST_DEFAULT_FORMAT": "json"}  # noqa: F405
