"""The web process for gunicorn: refuses bad settings, then serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tasker_project.settings")
application = get_wsgi_application()

from orchestration.checks import refuse_bad_settings  # noqa: E402 - needs the apps to be ready
from orchestration.runtime.identity import identify_process  # noqa: E402
from orchestration.runtime.log_context import name_process  # noqa: E402

# with any other code gunicorn starts the next one, for ever
refuse_bad_settings(code=3, shows_pages=True)
name_process(kind="web", name=identify_process("web").name)
