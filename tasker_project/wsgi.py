"""The web process for gunicorn: refuses bad settings, then serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tasker_project.settings")
application = get_wsgi_application()
