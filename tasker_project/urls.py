"""Addresses of the web process: the admin, the API below /v1/ and its description, the probes."""

from django.contrib import admin
from django.urls import include, path

admin.autodiscover()

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("orchestration.http.urls")),
    path("api-docs/", include("orchestration.api.docs")),
    path("v1/", include("orchestration.api.urls")),
]

handler400 = "orchestration.http.error_pages.bad_request"
handler404 = "orchestration.http.error_pages.not_found"
handler500 = "orchestration.http.error_pages.server_error"
