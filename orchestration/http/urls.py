"""Routes of the probes, in the web process and the status servers; a slash at the end is fine."""

from django.urls import re_path

from orchestration.http.probes import PROBES

urlpatterns = [
    re_path(rf"^{path}/?$", view, name=path.replace("/", "-")) for path, view in PROBES.items()
]
