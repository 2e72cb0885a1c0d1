"""Routes of the probes and `/config`, in the web process and in an orchestrator's status server.

A slash at the end of a probe's address is fine.
"""

from django.urls import path, re_path

from orchestration.http.configuration import ConfigurationView
from orchestration.http.probes import PROBES

probe_patterns = [
    re_path(rf"^{name}/?$", view, name=name.replace("/", "-")) for name, view in PROBES.items()
]
urlpatterns = [*probe_patterns, path("config", ConfigurationView.as_view(), name="config")]
