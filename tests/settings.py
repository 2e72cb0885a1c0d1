"""The project's settings in the test profile; child processes inherit the variables."""

import os
import sys

os.environ["TASKER_ENV"] = "test"
if "pytest" in sys.modules:  # what is given there names another database than the tests use
    os.environ.pop("DATABASE_DIRECT_URL", None)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
# the test database is created under this limit too, however busy the disk is
os.environ.setdefault("TASKER_API_STATEMENT_TIMEOUT_MS", "60000")
os.environ.setdefault("TASKER_API_TIMEOUT_SECONDS", "120")

from tasker_project.settings import *  # noqa: F403

REST_FRAMEWORK = {**REST_FRAMEWORK, "TEST_REQUEST_DEFAULT_FORMAT": "json"}  # noqa: F405
