"""Which namespaces a person sees: one question for every page, list and action of the admin."""

from django.db.models import Q
from django.http import HttpRequest

from orchestration.access.scope import scope_of_user
from orchestration.queries.scope import Scope

_KEPT = "_tasker_scope"


def scope_of(request: HttpRequest) -> Scope:
    """Return what the user of a request sees; asked once for each request."""
    if not hasattr(request, _KEPT):
        setattr(request, _KEPT, scope_of_user(request.user))
    found: Scope = getattr(request, _KEPT)
    return found


def sees(request: HttpRequest, namespace: str | None) -> bool:
    """Tell whether the user of a request sees what is in a namespace."""
    return scope_of(request).includes(namespace)


def within(request: HttpRequest, path: str) -> Q:
    """Return the condition that the namespace at the end of a path is one that is seen."""
    return scope_of(request).condition(path)
