"""What the engine's own pages of the admin have in common: the frame, and parts that may fail.

A page is put together from parts. One that fails, because its statement takes too long or stored
data cannot be read, shows a box with the reason; the rest of the page is shown all the same.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from orchestration.access.permissions import Permission, user_may
from orchestration.access.principals import Principal, name_of_user, principal_of_user
from orchestration.errors import TaskerError
from templates_registry.errors import TemplateError

log = logging.getLogger(__name__)

FOLDER = "admin/orchestration"


def page(request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
    """Return a page of the admin in its frame."""
    frame = admin.site.each_context(request)
    return TemplateResponse(
        request, f"{FOLDER}/{template}.html", {**frame, "title": title, **context}
    )


def part(name: str, build: Callable[[], SafeString]) -> SafeString:
    """Return a part of a page, or a box that says why it cannot be shown."""
    try:
        with transaction.atomic():  # else a failed statement would spoil those after it
            return build()
    except Exception as error:  # a page is never a 500 because of one of its parts
        log.exception("admin.part_failed", extra={"part": name})
        return fragment("part_failed", name=name, reason=_reason(error))


def fragment(template: str, **context: Any) -> SafeString:
    """Return a rendered piece of a page."""
    return render_to_string(f"{FOLDER}/{template}.html", context)


def _reason(error: Exception) -> str:
    """Return what may be said; the text of a database error names hosts and tables."""
    if isinstance(error, TaskerError):
        return error.message
    if isinstance(error, TemplateError):
        return "The stored template cannot be read."
    if isinstance(error, DatabaseError):
        return "The database did not answer in time, or refused."
    return f"It failed with {type(error).__name__}; the log of the web process says more."


def may(request: HttpRequest, permission: Permission) -> bool:
    """Tell whether the user of a request holds a permission."""
    return user_may(request.user, permission)


def demand(request: HttpRequest, permission: Permission) -> None:
    """Refuse the request unless its user holds a permission."""
    if not may(request, permission):
        raise PermissionDenied(f"The permission '{permission.value}' is missing")


def actor_of(request: HttpRequest) -> str:
    """Return the name of who acts, as it stands in the history."""
    return name_of_user(_user(request))


def principal_of(request: HttpRequest) -> Principal:
    """Return who acts, with everything that it may do."""
    return principal_of_user(_user(request))


def _user(request: HttpRequest) -> AbstractBaseUser:
    if not isinstance(request.user, AbstractBaseUser):
        raise TypeError("Django's admin lets only users in")
    return request.user
