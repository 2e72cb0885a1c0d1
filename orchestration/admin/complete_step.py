"""Finishing a step by hand: a form for its result, held against the step's result schema."""

import json
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from orchestration.access.permissions import Permission
from orchestration.admin import step_page
from orchestration.admin.actions import back_address
from orchestration.admin.addresses import page_of
from orchestration.admin.json_field import JsonField
from orchestration.admin.logging import log_action
from orchestration.admin.pages import actor_of, demand, page
from orchestration.errors import TaskerError
from orchestration.fsm import ConcurrentTransition
from orchestration.lifecycle.operator_actions import complete_step
from orchestration.models import WorkflowStep
from templates_registry.errors import TemplateError
from templates_registry.schema import validator_of

MOST_FINDINGS = 10


class CompletionForm(forms.Form):
    """The result that the children will see, and why it is given by hand."""

    result = JsonField(
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autofocus": True}),
        initial=dict,
    )
    metadata = JsonField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, schema: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Hold the result against a schema where there is one."""
        super().__init__(*args, **kwargs)
        self._schema = schema

    def clean_result(self) -> Any:
        """Refuse a result that does not match, and say where."""
        result = self.cleaned_data["result"]
        for finding in schema_findings(result, self._schema)[:MOST_FINDINGS]:
            self.add_error("result", finding)
        return result

    def clean_metadata(self) -> Any:
        """Accept an object only."""
        metadata = self.cleaned_data["metadata"]
        if metadata is not None and not isinstance(metadata, dict):
            raise forms.ValidationError("must be a JSON object")
        return metadata


def schema_findings(value: Any, schema: dict[str, Any] | None) -> list[str]:
    """Return what of a value does not match a schema; nothing is fetched from anywhere."""
    errors = validator_of(schema).iter_errors(value) if schema else []
    found = sorted(errors, key=lambda error: error.json_path)
    return [f"{error.json_path}: {error.message[:300]}" for error in found]


def view(request: HttpRequest, object_id: UUID) -> HttpResponse:
    """Ask for the result; then complete the step and go back."""
    demand(request, Permission.STEPS_RESOLVE)
    step = step_page.find(request, object_id)
    if step is None:
        raise Http404(f"No step {object_id}")
    schema = _schema(step)
    form = CompletionForm(request.POST or None, schema=schema)
    if request.method == "POST" and form.is_valid():
        refusal = _complete(request, step, form.cleaned_data)
        if not refusal:
            return HttpResponseRedirect(back_address(request) or page_of(step))
        form.add_error(None, refusal)
    return page(
        request,
        "complete_step",
        f"Complete step {step.name[:60]}",
        step=step,
        form=form,
        schema=json.dumps(schema, indent=2) if schema else "",
        back=back_address(request) or request.GET.get("back", "") or page_of(step),
    )


def _schema(step: WorkflowStep) -> dict[str, Any] | None:
    """Return what the result has to match; nothing where the template cannot be read."""
    try:
        in_template = step_page.template_step_of(step)
    except TemplateError:
        return None
    return in_template.result_schema if in_template else None


def _complete(request: HttpRequest, step: WorkflowStep, given: dict[str, Any]) -> str:
    """Act; return why it was refused, an empty text when it was not."""
    try:
        complete_step(
            step.pk,
            result=given["result"],
            actor=actor_of(request),
            reason=given["reason"],
            metadata=given["metadata"],
        )
    except TaskerError as error:
        return error.message
    except ConcurrentTransition:
        return "The step is being moved by somebody else; nothing was changed, try again"
    log_action(request, step, f"Complete: {given['reason']}")
    messages.success(request, f"Step {step.name} is complete")
    return ""
