"""Routes of a worker's status server: the probes, its settings, the templates it serves."""

from django.urls import path

from orchestration.http.urls import probe_patterns
from workers.api.views import TemplatesView, TemplateView, WorkerConfigurationView

urlpatterns = [
    *probe_patterns,
    path("config", WorkerConfigurationView.as_view(), name="config"),
    path("v1/templates", TemplatesView.as_view(), name="worker-templates"),
    path(
        "v1/templates/<str:namespace>/<str:name>/<str:version>",
        TemplateView.as_view(),
        name="worker-template",
    ),
]
