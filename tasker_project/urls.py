"""Addresses of the web process: the admin, the API below /v1/."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("v1/", include("orchestration.api.urls")),
]
