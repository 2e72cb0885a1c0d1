"""Which credential a request carries: the first one present decides, a bad one is not passed over.

Order: the header of API keys, `Authorization: Bearer`, the session of a staff user. Signed tokens
are not built yet, so a bearer that is no API key is refused. Knows Django's requests only, so views
of the status servers, which have no sessions, ask here as well.
"""

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest

from orchestration import metrics
from orchestration.access.failures import CredentialRefusedError, Reason
from orchestration.access.key_lookup import principal_of_key, remembered_principal
from orchestration.access.key_text import MARK
from orchestration.access.permissions import is_active_staff
from orchestration.access.principals import (
    ANYBODY,
    Principal,
    is_open,
    name_of_user,
    principal_of_user,
)
from orchestration.conf import access_settings
from orchestration.errors import CircuitOpenError

BEARER = "bearer"
CIRCUIT_OPEN = "tasker.circuit_open"
"""Key in META: the error of the open circuit breaker, while no database may be asked."""


def find_principal(request: HttpRequest) -> Principal | None:
    """Return who calls, None when there is no credential.

    Raises `CredentialRefusedError` for one that is not accepted, and `CircuitOpenError` when only
    the database could tell and it is not asked at the moment.
    """
    if is_open():
        return ANYBODY
    text = key_in(request)
    method = "session" if text is None else "api_key"
    try:
        found = _of_session(request) if text is None else _of_key(request, text)
    except CredentialRefusedError:
        metrics.AUTH_REQUESTS.add(method=method, result="refused")
        raise
    if found is not None:
        metrics.AUTH_REQUESTS.add(method=method, result="accepted")
    return found


def uses_session(request: HttpRequest) -> bool:
    """Tell whether the session decides, so that unsafe methods need a CSRF token."""
    return not is_open() and key_in(request) is None


def key_in(request: HttpRequest) -> str | None:
    """Return the text of the key that a request carries, None without one."""
    given = request.headers.get(access_settings().api_key_header)
    if given is not None:
        return given.strip()
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != BEARER:
        return None
    text = bearer.strip()
    if not text.startswith(MARK):
        raise CredentialRefusedError(Reason.MALFORMED, subject="bearer")
    return text


def _of_key(request: HttpRequest, text: str) -> Principal:
    circuit_open: CircuitOpenError | None = request.META.get(CIRCUIT_OPEN)
    if circuit_open is None:
        return principal_of_key(text)
    known = remembered_principal(text)
    if known is None:
        raise circuit_open
    return known


def _of_session(request: HttpRequest) -> Principal | None:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    if circuit_open := request.META.get(CIRCUIT_OPEN):
        raise circuit_open
    user = getattr(request, "user", None)
    if not isinstance(user, AbstractBaseUser) or not user.is_authenticated:
        raise CredentialRefusedError(Reason.EXPIRED, subject="session")
    if not is_active_staff(user):
        raise CredentialRefusedError(Reason.INVALID, subject=name_of_user(user))
    return principal_of_user(user)
