"""The "Run" form of a template: a context from its input schema, and a task made of it."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from orchestration.access.permissions import Permission
from orchestration.admin import template_page
from orchestration.admin.addresses import address_of
from orchestration.admin.input_form import WHOLE, context_of, fields_of, initial_of
from orchestration.admin.logging import log_action
from orchestration.admin.pages import actor_of, demand, may, page
from orchestration.admin.template_page import TemplateView
from orchestration.admin.visibility import sees
from orchestration.client import create_task
from orchestration.errors import TaskerError
from orchestration.models import Task
from orchestration.queries.task_page import find_details


class RunForm(forms.Form):
    """Everything of a request but the context, whose fields come first."""

    priority = forms.IntegerField(min_value=-100, max_value=100, initial=0)
    tags = forms.CharField(required=False, help_text="separated by commas")
    idempotency_key = forms.CharField(
        required=False, max_length=255, help_text="the same key makes no second task"
    )
    reason = forms.CharField(max_length=500, help_text="stands in the history")

    def __init__(self, *args: Any, schema: dict[str, Any] | None, **kwargs: Any) -> None:
        """Put the fields of the context in front."""
        super().__init__(*args, **kwargs)
        self.context_fields = fields_of(schema)
        self.fields = {**self.context_fields, **self.fields}

    def request(self) -> dict[str, Any]:
        """Return the keywords of a creation."""
        given = self.cleaned_data
        return {
            "context": context_of(given, self.context_fields),
            "priority": given["priority"],
            "tags": [tag.strip() for tag in given["tags"].split(",") if tag.strip()],
            "idempotency_key": given["idempotency_key"] or None,
            "reason": given["reason"],
        }


def view(request: HttpRequest, named_task_uuid: UUID) -> HttpResponse:
    """Ask for the context; then create the task and lead to it."""
    demand(request, Permission.TASKS_CREATE)
    demand(request, Permission.TEMPLATES_READ)
    row = template_page.find(request, named_task_uuid)
    if row is None or row.retired_at is not None:
        raise Http404(f"No template {named_task_uuid}")
    as_json = "json" in request.GET or "again" in request.GET
    schema = None if as_json else TemplateView(row).template.input_schema
    form = RunForm(request.POST or None, schema=schema, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        task_uuid = _create(request, row, form)
        if task_uuid is not None:
            return HttpResponseRedirect(address_of("orchestration.task", task_uuid))
    return page(
        request,
        "run_template",
        f"Run {row.name}",
        subtitle=f"version {row.version}",
        row=row,
        form=form,
        is_json=WHOLE in form.context_fields,
        has_schema=bool(TemplateView(row).template.input_schema),
    )


def _initial(request: HttpRequest) -> dict[str, Any]:
    """Return what another task was made of, when it is to be done again."""
    again = request.GET.get("again", "")
    if not (again and may(request, Permission.TASKS_CONTEXT_READ)):
        return {}
    try:
        details = find_details(UUID(again), with_context=True)
    except ValueError:
        return {}
    if details is None or not sees(request, details.namespace):
        return {}
    fields = fields_of(None)
    return {
        **initial_of(details.context or {}, fields),
        "priority": details.priority,
        "tags": ", ".join(details.tags),
        "reason": f"again: {details.reason}" if details.reason else "",
    }


def _create(request: HttpRequest, row: Any, form: RunForm) -> UUID | None:
    """Create the task; put what is wrong with the request into the form."""
    actor = actor_of(request)
    try:
        created = create_task(
            row.name,
            namespace=row.task_namespace.name,
            version=row.version,
            actor=actor,
            initiator=actor,
            source_system="admin",
            respect_backpressure=True,
            **form.request(),
        )
    except TaskerError as error:
        form.add_error(None, error.message)
        for problem in error.problems:
            form.add_error(None, f"{problem.path}: {problem.message}")
        return None
    if created.created:
        log_action(
            request, Task(pk=created.task_uuid), f"Run: {form.request()['reason']}", flag=ADDITION
        )
        messages.success(request, "The task is created")
    else:
        messages.warning(request, "That request was made before; this is its task")
    return created.task_uuid
