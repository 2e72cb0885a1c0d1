"""The guard of the REST API: finds the principal of a request and asks for the view's permission.

Closed by default: a view that declares no permission for a method refuses it, and where nobody is
known the answer is 401. What is accepted in production is the session of a staff user; keys and
tokens are not built yet.
"""

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from orchestration.access.permissions import Permission
from orchestration.access.principals import ANYBODY, Principal, is_open, principal_of_user


class PrincipalAuthentication(SessionAuthentication):
    """Puts a `Principal` into `request.user`; unsafe methods of a session need a CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the principal, None when there is no credential."""
        if is_open():
            return ANYBODY, None
        found = super().authenticate(request)
        if found is None:
            return None
        user = found[0]
        if not getattr(user, "is_staff", False):
            raise AuthenticationFailed("The session belongs to no staff user")
        return principal_of_user(user), None

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return "Session"


class HoldsPermission(BasePermission):
    """Asks for the permission that the view declares for the method in `required_permissions`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the call may go on; an entry None means: any known principal."""
        principal = principal_of(request)
        method = "GET" if request.method == "HEAD" else str(request.method)
        declared: dict[str, Permission | None] = getattr(view, "required_permissions", {})
        if method not in declared:
            return method == "OPTIONS" or not hasattr(view, method.lower())  # then it is a 405
        required = declared[method]
        if required is not None:
            principal.require(required)
        return True


def principal_of(request: Request) -> Principal:
    """Return the principal of a request; raise `NotAuthenticated` when nobody is known."""
    principal: Any = request.user
    if isinstance(principal, Principal):
        return principal
    raise NotAuthenticated("This needs a credential: sign in to the admin as a staff user")
