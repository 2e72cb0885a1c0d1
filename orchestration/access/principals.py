"""Principals: the name that stands in the history as the actor, what it may do, and where.

Without authentication, that is in development with DEBUG and in tests, everybody is `anonymous` and
may do everything; the host names served are loopback only. Everywhere else the API is closed, and
no setting opens it.
"""

import getpass
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from orchestration.access.permissions import (
    Permission,
    PermissionMissingError,
    permissions_of_user,
)
from orchestration.access.scope import NamespaceForbiddenError, scope_of_user
from orchestration.conf import access_settings
from orchestration.queries.scope import EVERYTHING, NOTHING, Scope
from templates_registry.conf import registry_settings


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody known. `is_sovereign`: it holds what is added later too, so it may grant it."""

    name: str
    permissions: frozenset[Permission] = frozenset()
    scope: Scope = NOTHING
    is_sovereign: bool = False

    @property
    def is_authenticated(self) -> bool:
        """Django REST framework asks this of everything that stands in `request.user`."""
        return True

    def may(self, permission: Permission) -> bool:
        """Tell whether the principal holds a permission."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise `PermissionMissingError` unless the principal holds the permission."""
        if not self.may(permission):
            raise PermissionMissingError(permission, principal=self.name)

    def require_namespace(self, namespace: str) -> None:
        """Raise `NamespaceForbiddenError` unless the namespace is in the principal's scope."""
        if not self.scope.includes(namespace):
            raise NamespaceForbiddenError(namespace, principal=self.name)


def sovereign(name: str) -> Principal:
    """Return a principal that may do everything, everywhere."""
    return Principal(name, frozenset(Permission), EVERYTHING, is_sovereign=True)


ANYBODY = sovereign("anonymous")


def is_open() -> bool:
    """Tell whether this process serves everybody: switched off in tests or development."""
    environment = registry_settings().environment
    is_harmless = environment == "test" or (environment == "development" and settings.DEBUG)
    return is_harmless and not access_settings().auth_enabled


def name_of_user(user: AbstractBaseUser) -> str:
    """Return how a user of Django is called in the history."""
    return f"user:{user.get_username()}"


def principal_of_user(user: AbstractBaseUser) -> Principal:
    """Return the principal of a user of Django; three queries, none for a superuser."""
    if getattr(user, "is_superuser", False) and permissions_of_user(user):
        return sovereign(name_of_user(user))
    return Principal(name_of_user(user), permissions_of_user(user), scope_of_user(user))


def principal_of_command_line() -> Principal:
    """Return the principal of whoever runs a command: it has the database anyway."""
    return sovereign(f"cli:{_operating_system_user()}")


def _operating_system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "unknown"
