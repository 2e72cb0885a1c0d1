"""Templates in the admin: one row for each, whatever the number of its versions."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from orchestration.access.permissions import Permission
from orchestration.admin import run_template, template_page
from orchestration.admin.addresses import address_of
from orchestration.admin.live_handlers import Service, live_services, missing_callables
from orchestration.admin.pages import fragment, page, part
from orchestration.admin.read_only import OwnListAdmin
from orchestration.admin.visibility import scope_of
from orchestration.queries.template_table import TemplateVersion, all_versions
from templates_registry.registry.versions import precedence

PER_PAGE = 200


class TemplateFilter(forms.Form):
    """What the list is narrowed to."""

    q = forms.CharField(label="name contains", required=False, max_length=255)
    namespace = forms.CharField(required=False, max_length=64)
    retired = forms.BooleanField(label="retired ones too", required=False)


class TemplateLine(NamedTuple):
    """One row: the newest version, and all versions together."""

    newest: TemplateVersion
    address: str
    versions: int
    tasks: int
    error_rate: float | None
    missing: list[str] | None


class TemplateAdmin(OwnListAdmin):
    """Templates."""

    noun = "template"
    list_permission = Permission.TEMPLATES_READ
    read_permission = Permission.TEMPLATES_READ
    namespace_field = "task_namespace__name"

    def get_urls(self) -> list[URLPattern]:
        """Add the form that creates a task of a template."""
        view = self.admin_site.admin_view(run_template.view)
        return [
            path("<uuid:named_task_uuid>/change/run/", view, name="orchestration_template_run"),
            *super().get_urls(),
        ]

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Return the list."""
        form = TemplateFilter(request.GET)
        form.is_valid()
        wanted = form.cleaned_data
        return page(
            request,
            "templates",
            "Templates",
            form=form,
            table=part("the list of templates", lambda: _table(request, wanted)),
        )

    def show(self, request: HttpRequest, key: UUID) -> HttpResponse | None:
        """Return the page of one version of a template."""
        return template_page.show(request, key)


def _table(request: HttpRequest, wanted: dict[str, Any]) -> Any:
    services = live_services()
    found = [each for each in all_versions(scope_of(request)) if _is_wanted(each, wanted)]
    lines = list(lines_of(found, services))
    return fragment(
        "template_table",
        lines=lines[:PER_PAGE],
        left_out=max(len(lines) - PER_PAGE, 0),
        is_filtered=any(wanted.values()),
    )


def _is_wanted(version: TemplateVersion, wanted: dict[str, Any]) -> bool:
    if version.is_retired and not wanted.get("retired"):
        return False
    if (namespace := wanted.get("namespace")) and version.namespace != namespace:
        return False
    return (wanted.get("q") or "").lower() in version.name.lower()


def lines_of(
    versions: Iterable[TemplateVersion], services: list[Service]
) -> Iterable[TemplateLine]:
    """Yield one row for the versions of each template; `versions` are in order of their names."""
    for _, group in groupby(versions, key=lambda each: (each.namespace, each.name)):
        found = sorted(group, key=age_of)
        newest = found[-1]
        tasks = sum(each.tasks_of_day for each in found)
        failed = sum(each.failed_of_day for each in found)
        yield TemplateLine(
            newest=newest,
            address=address_of("templates_registry.namedtask", newest.named_task_uuid),
            versions=len(found),
            tasks=tasks,
            error_rate=round(100 * failed / tasks, 1) if tasks else None,
            missing=missing_callables(newest.namespace, newest.callables, services),
        )


def age_of(version: TemplateVersion) -> tuple[Any, ...]:
    """Return a key that sorts the versions of a template, the latest last."""
    return (not version.is_retired, *precedence(version.version, registered_at=version.created_at))
