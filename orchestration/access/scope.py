"""Whose scope is which: groups of Django for people, a list of names for keys; closed by default.

A user sees the namespaces of the groups `ns:<namespace>` that it is in, all of them with `ns:*` or
as a superuser. A key names its namespaces, `*` for all. Nothing named is nothing seen.
"""

import re
from collections.abc import Iterable

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from orchestration.errors import TaskerError
from orchestration.queries.scope import EVERYTHING, NOTHING, Scope

EVERY_NAMESPACE = "*"
GROUP_PREFIX = "ns:"
NAMESPACE = re.compile(r"[a-z][a-z0-9_]{0,28}")


class NamespaceForbiddenError(TaskerError):
    """A namespace that somebody wants to write to lies outside of its scope."""

    code = "AUTHORIZATION_FAILED"

    def __init__(self, namespace: str, *, principal: str) -> None:
        """Say who wanted to go where; not whether there is such a namespace."""
        super().__init__(
            f"'{principal}' may not do this in the namespace '{namespace}', which is outside of "
            "its scope; ask an administrator for it"
        )
        self.namespace = namespace


def scope_of(namespaces: Iterable[str]) -> Scope:
    """Return the scope that a list of namespaces stands for."""
    names = frozenset(namespaces)
    return EVERYTHING if EVERY_NAMESPACE in names else Scope(names)


def scope_of_user(user: AbstractBaseUser | AnonymousUser) -> Scope:
    """Return the scope of a user of Django; one query, none for a superuser."""
    if not getattr(user, "is_active", False):
        return NOTHING
    if getattr(user, "is_superuser", False):
        return EVERYTHING
    groups = getattr(user, "groups", None)
    if groups is None:
        return NOTHING
    names = groups.filter(name__startswith=GROUP_PREFIX).values_list("name", flat=True)
    return scope_of(name.removeprefix(GROUP_PREFIX) for name in names)


def refusal_of_namespace(namespace: object) -> str | None:
    """Return what is wrong with a namespace of a list, None for a good one or `*`."""
    if isinstance(namespace, str) and (
        namespace == EVERY_NAMESPACE or NAMESPACE.fullmatch(namespace)
    ):
        return None
    return f"{namespace!r} is no namespace (a-z, 0-9 and _, at most 29 letters), nor * for all"
