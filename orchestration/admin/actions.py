"""Actions of the admin: ask for a reason on a page of their own, then act on every object.

Each object is a transaction of its own. A refusal becomes a message and stops nothing; every action
carried out leaves an entry in Django's log beside the history. A run that would outlast its request
stops in time and says how many objects it did not reach.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.db import OperationalError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString

from orchestration.access.permissions import Permission
from orchestration.admin.addresses import page_of
from orchestration.admin.pages import actor_of, page
from orchestration.conf import admin_settings
from orchestration.errors import ActionRefusedError, NotFoundError
from orchestration.fsm import ConcurrentTransition

MOST_SHOWN = 10
MOST_NAMED = 100
LONGEST_SECONDS = 20.0
"""After which a bulk action leaves the rest for another request; a request has 30 s."""


class ReasonForm(forms.Form):
    """Why somebody acts; stands in the history."""

    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3, "autofocus": True})
    )


def always(subject: Any) -> str:
    """Refuse nothing beforehand."""
    return ""


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """One thing that people do to tasks or steps; callable as an action of Django's admin.

    `why_not` looks at an object that is shown and says why the action would be refused, an empty
    text when it would not; the action itself asks again, under the lock.
    """

    name: str
    label: str
    button: str
    done: str  # "3 cancelled"
    permission: Permission
    run: Callable[..., Any]
    why_not: Callable[[Any], str] = always
    is_dangerous: bool = False
    do_not_call_in_templates: ClassVar[bool] = True

    def __call__(
        self, model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """Ask for confirmation first; then act, and go back to where the user came from."""
        most = admin_settings().admin_bulk_limit
        chosen = list(queryset[: most + 1])
        if len(chosen) > most:
            text = f"More than {most} are selected; narrow the list and act in parts."
            model_admin.message_user(request, text, messages.ERROR)
            return None
        form = ReasonForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return self.ask(model_admin, request, chosen, form, back=back_address(request))
        self._act(model_admin, request, chosen, reason=form.cleaned_data["reason"])
        address = back_address(request)
        return HttpResponseRedirect(address) if address else None

    def ask(
        self,
        model_admin: Any,
        request: HttpRequest,
        chosen: Sequence[Model],
        form: ReasonForm,
        *,
        back: str,
    ) -> HttpResponse:
        """Return the page that names what will be acted upon and asks why."""
        return page(
            request,
            "confirm",
            self.label,
            opts=model_admin.model._meta,
            action=self,
            form=form,
            chosen=chosen,
            shown=[(page_of(each), model_admin.name_of(each)) for each in chosen[:MOST_NAMED]],
            checkbox=helpers.ACTION_CHECKBOX_NAME,
            back=back,
        )

    def _act(
        self, model_admin: Any, request: HttpRequest, chosen: Sequence[Any], reason: str
    ) -> None:
        refused: list[SafeString] = []
        actor, end = actor_of(request), time.monotonic() + LONGEST_SECONDS
        reached = 0
        for each in chosen:
            if time.monotonic() > end:
                break
            reached += 1
            refusal = self._run(each.pk, actor, reason)
            if refusal:
                refused.append(format_html('<a href="{}">{}</a>', page_of(each), refusal))
            else:
                model_admin.log_change(request, each, f"{self.button}: {reason}")
        for told in refused[:MOST_SHOWN]:
            model_admin.message_user(request, told, messages.WARNING)
        summary = f"{reached - len(refused)} {self.done}"
        if refused:
            summary += f", {len(refused)} skipped: not possible in their present state"
        if reached < len(chosen):
            summary += f", {len(chosen) - reached} not reached in time: act again on them"
        level = messages.ERROR if len(refused) == reached else messages.SUCCESS
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


def back_address(request: HttpRequest) -> str:
    """Return where the user came from when the page said so; addresses of this site only."""
    given = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(given, allowed_hosts=None)
    return given if is_ours and given.startswith("/") else ""
