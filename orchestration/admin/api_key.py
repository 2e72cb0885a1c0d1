"""API keys in the admin: look at them, make one, end one. A key's text is shown once.

For superusers, and for whom Django's own permissions of the model allow it; what a key may do never
exceeds what its maker may do. Every change leaves an entry with its reason in Django's log.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from orchestration.access import api_keys
from orchestration.access.permissions import EVERY_PERMISSION, Permission
from orchestration.access.principals import Principal
from orchestration.access.scope import EVERY_NAMESPACE
from orchestration.admin.display import state_badge
from orchestration.admin.logging import log_action
from orchestration.admin.pages import fragment, page, part, principal_of
from orchestration.admin.read_only import ReadOnlyAdmin
from orchestration.errors import TaskerError
from orchestration.models import ApiKey

MOST_KEYS = 500
LONGEST_DAYS = 3650


class NewKeyForm(forms.Form):
    """What a new key is for, what it may do, and where."""

    name = forms.CharField(max_length=128)
    permissions = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    namespaces = forms.CharField(required=False, help_text="separated by commas; * for all")
    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_DAYS,
        label="valid for days",
        help_text="empty: until it is revoked",
    )
    reason = forms.CharField(max_length=500)

    def __init__(self, *args: Any, maker: Principal, **kwargs: Any) -> None:
        """Offer what the maker holds."""
        super().__init__(*args, **kwargs)
        held = [each.value for each in Permission if maker.may(each)]
        offered = [EVERY_PERMISSION, *held] if maker.is_sovereign else held
        field: Any = self.fields["permissions"]
        field.choices = [(each, each) for each in offered]

    def grants(self) -> dict[str, Any]:
        """Return the arguments of the function that makes a key."""
        given = self.cleaned_data
        names = [name.strip() for name in given["namespaces"].split(",")]
        days = given["days"]
        return {
            "name": given["name"],
            "permissions": given["permissions"],
            "namespaces": [name for name in names if name],
            "expires_at": timezone.now() + timedelta(days=days) if days else None,
        }


class EndForm(forms.Form):
    """When a key ends, and why."""

    reason = forms.CharField(max_length=500)
    days = forms.IntegerField(required=False, min_value=1, max_value=LONGEST_DAYS)


class ApiKeyAdmin(ReadOnlyAdmin):
    """API keys."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Django's own permission decides."""
        return holds(request, "view")

    def get_urls(self) -> list[URLPattern]:
        """Add making, revoking and setting the expiry."""
        wrap = self.admin_site.admin_view
        return [
            path("new/", wrap(new), name="orchestration_apikey_new"),
            path("<slug:prefix>/revoke/", wrap(revoke), name="orchestration_apikey_revoke"),
            path("<slug:prefix>/expire/", wrap(expire), name="orchestration_apikey_expire"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the keys."""
        _demand(request, "view")
        return page(
            request,
            "api_keys",
            "API keys",
            table=part("the keys", lambda: _table(request)),
            may_add=holds(request, "add"),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Lead to the list, which says everything of each key."""
        return HttpResponseRedirect(_list_address())


def holds(request: HttpRequest, verb: str) -> bool:
    """Tell whether the user may view, add or change keys."""
    user = request.user
    return bool(user.is_active and user.has_perm(f"orchestration.{verb}_apikey"))


def _demand(request: HttpRequest, verb: str) -> None:
    if not holds(request, verb):
        raise PermissionDenied(f"Django's permission orchestration.{verb}_apikey is missing")


def _list_address() -> str:
    return reverse("admin:orchestration_apikey_changelist")


def _table(request: HttpRequest) -> SafeString:
    keys = ApiKey.objects.select_related("owner").order_by("-created_at")[:MOST_KEYS]
    rows = [(key, state_badge(key.state.value), key.revoked_at is None) for key in keys]
    return fragment("api_key_table", rows=rows, may_change=holds(request, "change"))


def new(request: HttpRequest) -> HttpResponse:
    """Ask what the key may do; then make it and show its text, this once."""
    _demand(request, "add")
    maker = principal_of(request)
    form = NewKeyForm(request.POST or None, maker=maker, initial={"namespaces": EVERY_NAMESPACE})
    if request.method == "POST" and form.is_valid():
        try:
            made = api_keys.create_key(
                granted_by=maker, reason=form.cleaned_data["reason"], **form.grants()
            )
        except TaskerError as error:
            form.add_error(None, error.message)
        else:
            log_action(request, made.key, f"Create: {form.cleaned_data['reason']}")
            shown = page(request, "api_key_made", "New API key", key=made.key, text=made.text)
            shown["Cache-Control"] = "no-store"
            return shown
    return page(request, "api_key_new", "New API key", form=form)


def revoke(request: HttpRequest, prefix: str) -> HttpResponse:
    """Ask why; then end the key for good."""

    def act(given: dict[str, Any]) -> ApiKey:
        return api_keys.revoke_key(
            prefix=prefix, revoked_by=principal_of(request), reason=given["reason"]
        )

    return _end(request, prefix, "Revoke", act)


def expire(request: HttpRequest, prefix: str) -> HttpResponse:
    """Ask when and why; then let the key end at that moment, or never."""

    def act(given: dict[str, Any]) -> ApiKey:
        end = timezone.now() + timedelta(days=given["days"]) if given["days"] else None
        who = principal_of(request)
        return api_keys.expire_key(
            prefix=prefix, expires_at=end, changed_by=who, reason=given["reason"]
        )

    return _end(request, prefix, "Set expiry", act)


def _end(
    request: HttpRequest, prefix: str, verb: str, act: Callable[[dict[str, Any]], ApiKey]
) -> HttpResponse:
    _demand(request, "change")
    key = ApiKey.objects.filter(prefix=prefix).first()
    if key is None:
        raise Http404(f"No API key {prefix}")
    form = EndForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data)
        except TaskerError as error:
            form.add_error(None, error.message)
        else:
            log_action(request, key, f"{verb}: {form.cleaned_data['reason']}")
            messages.success(request, f"{verb}: done for {key.name}")
            return HttpResponseRedirect(_list_address())
    title = f"{verb} of {key.name}" if verb == "Set expiry" else f"{verb} {key.name}"
    return page(
        request, "api_key_end", title, form=form, key=key, verb=verb, asks_days=verb != "Revoke"
    )
