"""The page of one version of a template: picture, steps, schemas, configuration, other versions."""

import json
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

import yaml
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from orchestration.access.permissions import Permission
from orchestration.admin.addresses import address_of
from orchestration.admin.live_handlers import live_services, missing_callables
from orchestration.admin.pages import fragment, may, page, part
from orchestration.admin.visibility import within
from orchestration.pictures import render_svg, render_template, template_picture
from orchestration.queries.scope import Scope
from orchestration.queries.template_table import StepTimes, all_versions, step_times
from templates_registry.conf import registry_settings
from templates_registry.models import NamedTask
from templates_registry.registry.revisions import parse_stored
from templates_registry.schema import StepTemplate, TaskTemplate, canonical, resolve

NEWEST_TASKS = 2000


class StepLine(NamedTuple):
    """One row of the table of steps."""

    step: StepTemplate
    times: StepTimes | None
    error_rate: float | None
    is_missing: bool


class TemplateView:
    """A version with its content, read when a part of the page asks for it."""

    def __init__(self, row: NamedTask) -> None:
        """Take the row; what it holds is parsed later."""
        self.row = row

    @cached_property
    def template(self) -> TaskTemplate:
        """The content with the overrides of this environment applied."""
        return resolve(parse_stored(self.row.configuration), registry_settings().environment)

    @property
    def title(self) -> str:
        """Namespace, name and version."""
        return str(self.row)


def find(request: HttpRequest, key: UUID) -> NamedTask | None:
    """Return a version of a template, None for an unknown one or one that the user does not see."""
    rows = NamedTask.objects.select_related("task_namespace")
    return rows.filter(within(request, "task_namespace__name"), pk=key).first()


def show(request: HttpRequest, key: UUID) -> HttpResponse | None:
    """Return the page, None for a version that the user does not see."""
    row = find(request, key)
    if row is None:
        return None
    view = TemplateView(row)
    may_run = may(request, Permission.TASKS_CREATE) and row.retired_at is None
    return page(
        request,
        "template",
        f"Template {row.name}",
        subtitle=f"{row.task_namespace.name}, version {row.version}",
        row=row,
        run=reverse("admin:orchestration_template_run", args=[row.pk]) if may_run else "",
        picture=part("the picture", lambda: _picture(view)),
        steps=part("the steps", lambda: _steps(view)),
        versions=part("the versions", lambda: _versions(row)),
        configuration=part("the configuration", lambda: _configuration(view)),
    )


def _picture(view: TemplateView) -> SafeString:
    return mark_safe(render_svg(template_picture(view.template)))  # noqa: S308 escaped where drawn


def _steps(view: TemplateView) -> SafeString:
    times = step_times(view.row.pk, tasks=NEWEST_TASKS)
    namespace = view.row.task_namespace.name
    missing = missing_callables(namespace, view.template.all_callables(), live_services())
    rows = [_line(step, times.get(step.name), missing or []) for step in view.template.steps]
    return fragment("template_steps", rows=rows, has_worker=missing is not None, most=NEWEST_TASKS)


def _line(step: StepTemplate, times: StepTimes | None, missing: list[str]) -> StepLine:
    rate = round(100 * times.failures / times.attempts, 1) if times else None
    return StepLine(step, times, rate, step.handler.callable in missing)


def _versions(row: NamedTask) -> SafeString:
    found = all_versions(Scope(None), only=row.pk)
    rows = [
        (each, address_of("templates_registry.namedtask", each.named_task_uuid))
        for each in reversed(found)
    ]
    return fragment("template_versions", rows=rows, shown=row.pk)


def _configuration(view: TemplateView) -> SafeString:
    template = view.template
    schemas: list[tuple[str, Any]] = []
    if template.input_schema:
        schemas.append(("Input schema", template.input_schema))
    schemas += [
        (f"Result schema of {step.name}", step.result_schema)
        for step in template.steps
        if step.result_schema
    ]
    text = yaml.safe_dump(canonical(template), sort_keys=False, allow_unicode=True, width=100)
    return fragment(
        "template_configuration",
        environment=registry_settings().environment,
        yaml=text,
        mermaid=render_template(template, output_format="mermaid"),
        schemas=[(name, json.dumps(schema, indent=2)) for name, schema in schemas],
    )
