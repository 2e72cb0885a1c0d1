"""The web process for ASGI servers; measured slower than WSGI here, kept for those who need it."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tasker_project.settings")
application = get_asgi_application()

from orchestration.checks import refuse_bad_settings  # noqa: E402 - needs the apps to be ready
from orchestration.runtime.identity import identify_process  # noqa: E402
from orchestration.runtime.log_context import name_process  # noqa: E402

refuse_bad_settings(shows_pages=True)
name_process(kind="web", name=identify_process("web").name)
