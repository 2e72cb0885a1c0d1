"""The guard of the REST API: who calls, and may it call this?

Closed by default: a view that declares no permission for a method refuses it, and where nobody is
known the answer is 401. A view declares in `required_permissions` for each method a permission,
several of which any one will do (the view itself asks for the right one), or None: any principal.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from orchestration.access.credentials import find_principal, uses_session
from orchestration.access.failures import CHALLENGE, CredentialMissingError
from orchestration.access.permissions import Permission
from orchestration.access.principals import Principal
from orchestration.queries.scope import Scope

Required = Permission | tuple[Permission, ...] | None
RequiredPermissions = Mapping[str, Required]


class PrincipalAuthentication(SessionAuthentication):
    """Puts a `Principal` into `request.user`; unsafe methods of a session need a CSRF token."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the principal, None when there is no credential."""
        principal = find_principal(request._request)
        if principal is None:
            return None
        if uses_session(request._request):
            self.enforce_csrf(request)
        return principal, None

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return CHALLENGE


class HoldsPermission(BasePermission):
    """Asks for the permission that the view declares for the method in `required_permissions`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the call may go on."""
        principal = principal_of(request)
        method = "GET" if request.method == "HEAD" else str(request.method)
        declared: RequiredPermissions = getattr(view, "required_permissions", {})
        if method not in declared:
            return method == "OPTIONS" or not hasattr(view, method.lower())  # then it is a 405
        required = alternatives(declared[method])
        if required and not any(principal.may(each) for each in required):
            principal.require(required[0])
        return True


def principal_of(request: Request) -> Principal:
    """Return the principal of a request; raise `CredentialMissingError` when nobody is known."""
    principal: Any = request.user
    if isinstance(principal, Principal):
        return principal
    raise CredentialMissingError


def scope_of_request(request: Request) -> Scope:
    """Return the namespaces that the caller sees."""
    return principal_of(request).scope


def alternatives(required: Required) -> tuple[Permission, ...]:
    """Return the permissions any one of which opens a method; none for any principal."""
    if required is None:
        return ()
    return required if isinstance(required, tuple) else (required,)
