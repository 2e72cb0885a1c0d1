"""Actions of the admin: ask for a reason on a page of their own, then act on every object.

Each object is a transaction of its own. A refusal becomes a message and stops nothing; every action
carried out leaves an entry in Django's log beside the history.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.auth.models import AbstractBaseUser
from django.db import OperationalError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from orchestration.access.permissions import Permission
from orchestration.access.principals import name_of_user
from orchestration.errors import ActionRefusedError, NotFoundError
from orchestration.fsm import ConcurrentTransition

MOST_OBJECTS = 500
MOST_SHOWN = 10


class ReasonForm(forms.Form):
    """Why somebody acts; stands in the history."""

    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3, "cols": 80, "autofocus": True})
    )


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """One thing that people do to tasks or steps; callable as an action of Django's admin."""

    name: str
    label: str
    button: str
    done: str  # "3 cancelled"
    permission: Permission
    do_not_call_in_templates: ClassVar[bool] = True
    run: Callable[..., Any]

    def __call__(
        self, model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """Ask for confirmation first; then act, and go back to where the user came from."""
        chosen = list(queryset[: MOST_OBJECTS + 1])
        if len(chosen) > MOST_OBJECTS:
            text = f"More than {MOST_OBJECTS} are selected; narrow the list and act in parts."
            model_admin.message_user(request, text, messages.ERROR)
            return None
        form = ReasonForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return self._ask(model_admin, request, chosen, form)
        self._act(model_admin, request, chosen, reason=form.cleaned_data["reason"])
        if "from_object" in request.POST and len(chosen) == 1:
            return HttpResponseRedirect(page_of(chosen[0]))
        return None

    def _ask(
        self, model_admin: Any, request: HttpRequest, chosen: Sequence[Model], form: ReasonForm
    ) -> HttpResponse:
        context = {
            **model_admin.admin_site.each_context(request),
            "title": self.label,
            "opts": model_admin.model._meta,
            "action": self,
            "form": form,
            "chosen": chosen,
            "shown": [(page_of(each), each) for each in chosen[:100]],
            "checkbox": helpers.ACTION_CHECKBOX_NAME,
            "from_object": "from_object" in request.POST,
        }
        return TemplateResponse(request, "admin/orchestration/confirm.html", context)

    def _act(
        self, model_admin: Any, request: HttpRequest, chosen: Sequence[Any], reason: str
    ) -> None:
        refused = []
        for each in chosen:
            refusal = self._run(each.pk, _actor(request), reason)
            if refusal:
                refused.append(refusal)
            else:
                model_admin.log_change(request, each, f"{self.button}: {reason}")
        for refusal in refused[:MOST_SHOWN]:
            model_admin.message_user(request, refusal, messages.WARNING)
        summary = f"{len(chosen) - len(refused)} {self.done}"
        if refused:
            summary += f", {len(refused)} refused"
        level = messages.ERROR if len(refused) == len(chosen) else messages.SUCCESS
        model_admin.message_user(request, summary, level)

    def _run(self, uuid: UUID, actor: str, reason: str) -> str:
        """Act on one object; return why it was refused, an empty text when it was not."""
        try:
            self.run(uuid, actor=actor, reason=reason)
        except (ActionRefusedError, NotFoundError) as error:
            return error.message
        except (ConcurrentTransition, OperationalError):
            return f"{uuid} is being moved by somebody else; nothing was changed, try again"
        return ""


def page_of(instance: Model) -> str:
    """Return the address of an object's page."""
    meta = instance._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[instance.pk])


def _actor(request: HttpRequest) -> str:
    user = request.user
    if not isinstance(user, AbstractBaseUser):
        raise TypeError("Django's admin lets only users in")
    return name_of_user(user)
