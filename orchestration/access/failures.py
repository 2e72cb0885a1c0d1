"""What went wrong with a credential, and what the caller is told about it (api-and-operations 2.7).

The answer says which kind of failure it was and how long to wait, never which part of a credential
was wrong. Every failure is counted and logged here, with who it was, never with the credential.
"""

import logging
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from rest_framework import exceptions as rest_errors

from orchestration import metrics
from orchestration.access.permissions import PermissionMissingError
from orchestration.access.scope import NamespaceForbiddenError
from orchestration.errors import TaskerError

log = logging.getLogger(__name__)

CHALLENGE = 'Bearer realm="tasker"'


class Reason(StrEnum):
    """The kinds of failure; the value of `x-auth-failure-reason`."""

    MISSING = "missing"
    EXPIRED = "expired"
    MALFORMED = "malformed"
    INVALID = "invalid"
    FORBIDDEN = "forbidden"


class Consequence(NamedTuple):
    """What a kind of failure means."""

    severity: str
    retry_after_seconds: int | None = None


CONSEQUENCES: Mapping[Reason, Consequence] = {
    Reason.MISSING: Consequence("low"),
    Reason.EXPIRED: Consequence("low"),
    Reason.MALFORMED: Consequence("medium", 5),
    Reason.INVALID: Consequence("high", 60),
    Reason.FORBIDDEN: Consequence("medium"),
}


class CredentialMissingError(TaskerError):
    """Nobody is known: the request carries no credential."""

    code = "UNAUTHORIZED"

    def __init__(self) -> None:
        super().__init__(
            "This needs a credential: send an API key, or sign in to the admin as a staff user"
        )


class CredentialRefusedError(TaskerError):
    """A credential was sent and is not accepted; `subject` is the part of it that may be logged."""

    code = "AUTHENTICATION_FAILED"

    def __init__(self, reason: Reason, *, subject: str) -> None:
        super().__init__("The credential is not accepted; ask an administrator for another one")
        self.reason = reason
        self.subject = subject


def reason_of(error: BaseException) -> Reason | None:
    """Return which kind of failure an error is, None for one that is about something else."""
    if isinstance(error, CredentialRefusedError):
        return error.reason
    if isinstance(error, CredentialMissingError | rest_errors.NotAuthenticated):
        return Reason.MISSING
    refusals = (PermissionMissingError, NamespaceForbiddenError, rest_errors.PermissionDenied)
    return Reason.FORBIDDEN if isinstance(error, refusals) else None


def headers_of(reason: Reason) -> dict[str, str]:
    """Return the headers of the answer to a failure, but for `Retry-After`."""
    headers = {
        "x-auth-failure-reason": reason.value,
        "x-auth-failure-severity": CONSEQUENCES[reason].severity,
    }
    return headers if reason is Reason.FORBIDDEN else headers | {"WWW-Authenticate": CHALLENGE}


def record(error: BaseException, *, path: str, principal: str) -> None:
    """Count and log an error that is a failure of this kind; others are left alone."""
    reason = reason_of(error)
    if reason is Reason.FORBIDDEN:
        required = getattr(error, "required", None)
        metrics.PERMISSION_DENIALS.add(permission=getattr(required, "value", "namespace"))
        about = {
            "permission": required,
            "namespace": getattr(error, "namespace", None),
        }
        known = {key: value for key, value in about.items() if value is not None}
        log.warning("permission.denied", extra={"path": path, "principal": principal, **known})
    elif reason is not None:
        metrics.AUTH_FAILURES.add(reason=reason.value)
        subject = getattr(error, "subject", "")
        log.warning("auth.failed", extra={"path": path, "reason": reason.value, "subject": subject})
