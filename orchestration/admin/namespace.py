"""Namespaces in the admin: what is going on in each, and its description."""

from typing import NamedTuple
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from orchestration.access.permissions import Permission
from orchestration.admin.addresses import address_of, list_of
from orchestration.admin.display import state_badge
from orchestration.admin.live_handlers import live_services
from orchestration.admin.logging import log_action
from orchestration.admin.pages import actor_of, fragment, page, part
from orchestration.admin.read_only import OwnListAdmin
from orchestration.admin.visibility import scope_of, within
from orchestration.conf import protection_settings
from orchestration.queries import pressure
from orchestration.queries.namespace_table import NamespaceRow, all_namespaces
from orchestration.queries.operator_records import record_action
from templates_registry.models import TaskerNow, TaskNamespace


class DescriptionForm(forms.Form):
    """What people say about a namespace."""

    description = forms.CharField(max_length=255, required=False)
    reason = forms.CharField(max_length=500)


class NamespaceLine(NamedTuple):
    """One row of the page."""

    row: NamespaceRow
    badges: list[tuple[SafeString, str]]
    work: str
    workers: int
    address: str


class NamespaceAdmin(OwnListAdmin):
    """Namespaces."""

    noun = "namespace"
    list_permission = Permission.TEMPLATES_READ
    read_permission = Permission.TEMPLATES_READ
    namespace_field = "name"

    def show_list(self, request: HttpRequest) -> HttpResponse:
        """Return the list."""
        table = part("the list of namespaces", lambda: _table(request))
        return page(request, "namespaces", "Namespaces", table=table)

    def show(self, request: HttpRequest, key: UUID) -> HttpResponse | None:
        """Let a superuser describe a namespace: none of the permissions of Tasker is about that."""
        if not getattr(request.user, "is_superuser", False):
            raise PermissionDenied("Only superusers describe namespaces")
        namespaces = TaskNamespace.objects.filter(within(request, "name"))
        row = namespaces.filter(pk=key).first()
        if row is None:
            return None
        form = DescriptionForm(request.POST or None, initial={"description": row.description})
        if request.method == "POST" and form.is_valid():
            _describe(request, row, form.cleaned_data)
            messages.success(request, f"Namespace {row.name} is described")
            return HttpResponseRedirect(list_of("templates_registry.tasknamespace"))
        return page(request, "namespace", f"Namespace {row.name}", row=row, form=form)


def _describe(request: HttpRequest, row: TaskNamespace, given: dict[str, str]) -> None:
    """Write a description, and who wrote it, why, and over which one."""
    with transaction.atomic():
        TaskNamespace.objects.filter(pk=row.pk).update(
            description=given["description"] or None, updated_at=TaskerNow()
        )
        record_action(
            row.pk,
            "namespace.described",
            actor=actor_of(request),
            reason=given["reason"],
            change=(row.description or "", given["description"]),
        )
        log_action(request, row, f"Describe: {given['reason']}")


def _table(request: HttpRequest) -> SafeString:
    rows = all_namespaces(scope_of(request))
    limit = protection_settings().queue_overflow + 1
    work = {each.name: each.work for each in pressure.of_namespaces(limit=limit)}
    services = live_services()
    lines = [
        NamespaceLine(
            row,
            _badges(row),
            _counted(work.get(row.name, 0), limit),
            sum(row.name in each.namespaces for each in services),
            address_of("templates_registry.tasknamespace", row.task_namespace_uuid),
        )
        for row in rows
    ]
    may_edit = getattr(request.user, "is_superuser", False)
    return fragment("namespace_table", lines=lines, may_edit=may_edit)


def _badges(row: NamespaceRow) -> list[tuple[SafeString, str]]:
    tasks = reverse("admin:orchestration_task_changelist")
    return [
        (state_badge(state, suffix=f" {count}"), f"{tasks}?namespace={row.name}&state={state}")
        for state, count in sorted(row.by_state.items())
    ]


def _counted(work: int, limit: int) -> str:
    return str(work) if work < limit else f"over {limit - 1}"
