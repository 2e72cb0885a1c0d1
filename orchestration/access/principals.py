"""Principals: the name that stands in the history as the actor, and what it may do.

Without authentication, that is in development with DEBUG and in tests, everybody is `anonymous` and
may do everything; the host names served are loopback only. Everywhere else the API is closed.
"""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from orchestration.access.permissions import Permission, PermissionMissingError, user_may
from templates_registry.conf import registry_settings


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody known; `user` is None for the one that may do everything."""

    name: str
    user: AbstractBaseUser | None = None

    @property
    def is_authenticated(self) -> bool:
        """Django REST framework asks this of everything that stands in `request.user`."""
        return True

    def may(self, permission: Permission) -> bool:
        """Tell whether the principal holds a permission."""
        return self.user is None or user_may(self.user, permission)

    def require(self, permission: Permission) -> None:
        """Raise `PermissionMissingError` unless the principal holds the permission."""
        if not self.may(permission):
            raise PermissionMissingError(permission, principal=self.name)


ANYBODY = Principal("anonymous")


def is_open() -> bool:
    """Tell whether this process serves everybody: tests, and development with DEBUG on."""
    environment = registry_settings().environment
    return environment == "test" or (environment == "development" and settings.DEBUG)


def principal_of_user(user: AbstractBaseUser) -> Principal:
    """Return the principal of a user of Django."""
    return Principal(f"user:{user.get_username()}", user)
