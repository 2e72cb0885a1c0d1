"""Errors on the wire: one table of exception classes, one body, one handler.

An exception that is not in the table is an `INTERNAL_ERROR`; those and broken databases are logged
with the request id, and their message carries neither SQL nor a traceback. A request that is only
early gets a 503 with `Retry-After`, which the body repeats.
"""

import logging
from math import ceil
from typing import Any

import psycopg
from django import db
from django.core import exceptions as django_errors
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions as rest_errors
from rest_framework.response import Response

from orchestration import errors
from orchestration.access import failures
from orchestration.access.api_keys import GrantRefusedError
from orchestration.access.permissions import PermissionMissingError
from orchestration.access.principals import Principal
from orchestration.access.scope import NamespaceForbiddenError
from orchestration.fsm import ConcurrentTransition
from orchestration.http.request_id import request_id_of

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
LONGEST_RETRY_AFTER_SECONDS = 30
"""For an open circuit breaker, however long it stays open."""
FAILED_BY = "tasker.failed_by"
"""Key in META of the exception that was answered, for the middleware further out."""


class JsonError(errors.TaskerError):
    """A body is not JSON, is not an object, or holds what cannot be stored."""

    code = "JSON_ERROR"


class InvalidUuidError(errors.TaskerError):
    """An id in the path is no UUID."""

    code = "INVALID_UUID"


class PayloadTooLargeError(errors.TaskerError):
    """A body is larger than the limit."""

    code = "PAYLOAD_TOO_LARGE"


ANSWERS: dict[type[BaseException], tuple[str, int]] = {
    # --- ours
    errors.InvalidRequestError: ("BAD_REQUEST", 400),
    errors.ActionRefusedError: ("BAD_REQUEST", 400),
    JsonError: ("JSON_ERROR", 400),
    InvalidUuidError: ("INVALID_UUID", 400),
    failures.CredentialMissingError: ("UNAUTHORIZED", 401),
    failures.CredentialRefusedError: ("AUTHENTICATION_FAILED", 401),
    PermissionMissingError: ("FORBIDDEN", 403),
    GrantRefusedError: ("FORBIDDEN", 403),
    NamespaceForbiddenError: ("AUTHORIZATION_FAILED", 403),
    errors.NotFoundError: ("NOT_FOUND", 404),
    errors.RequestTimeoutError: ("TIMEOUT", 408),
    errors.DuplicateTaskError: ("CONFLICT", 409),
    errors.DuplicateDlqEntryError: ("CONFLICT", 409),
    ConcurrentTransition: ("CONFLICT", 409),
    PayloadTooLargeError: ("PAYLOAD_TOO_LARGE", 413),
    errors.CircuitOpenError: ("CIRCUIT_BREAKER_OPEN", 503),
    errors.BackpressureError: ("BACKPRESSURE", 503),
    # --- Django's and REST framework's
    django_errors.SuspiciousOperation: ("BAD_REQUEST", 400),
    django_errors.RequestDataTooBig: ("PAYLOAD_TOO_LARGE", 413),
    django_errors.PermissionDenied: ("FORBIDDEN", 403),
    Http404: ("NOT_FOUND", 404),
    rest_errors.ValidationError: ("BAD_REQUEST", 400),
    rest_errors.ParseError: ("JSON_ERROR", 400),
    rest_errors.NotAuthenticated: ("UNAUTHORIZED", 401),
    rest_errors.AuthenticationFailed: ("AUTHENTICATION_FAILED", 401),
    rest_errors.PermissionDenied: ("FORBIDDEN", 403),
    rest_errors.NotFound: ("NOT_FOUND", 404),
    rest_errors.MethodNotAllowed: ("METHOD_NOT_ALLOWED", 405),
    rest_errors.NotAcceptable: ("NOT_ACCEPTABLE", 406),
    rest_errors.UnsupportedMediaType: ("UNSUPPORTED_MEDIA_TYPE", 415),
    # --- the database's; Django hands them on as the cause of its own
    psycopg.errors.QueryCanceled: ("TIMEOUT", 408),
    psycopg.errors.LockNotAvailable: ("TIMEOUT", 408),
    psycopg.errors.DeadlockDetected: ("CONFLICT", 409),
    psycopg.errors.SerializationFailure: ("CONFLICT", 409),
    db.OperationalError: ("SERVICE_UNAVAILABLE", 503),
    db.InterfaceError: ("SERVICE_UNAVAILABLE", 503),
    db.DatabaseError: ("DATABASE_ERROR", 500),
    Exception: ("INTERNAL_ERROR", 500),
}
# What the caller reads instead of the database's own words.
PLAIN = {
    "TIMEOUT": "The request took longer than allowed and was rolled back; try again later",
    "SERVICE_UNAVAILABLE": "The database cannot be reached; try again in a few seconds",
    "DATABASE_ERROR": "The database refused the request; its log and ours say why",
    "INTERNAL_ERROR": "The server failed; its log says why under this request id",
}


def answer_of(error: BaseException) -> tuple[str, int]:
    """Return code and status of an exception."""
    causes = [error.__cause__] if isinstance(error, db.Error) and error.__cause__ else []
    for each in [*causes, error]:
        for known in type(each).__mro__:
            if known in ANSWERS and (each is error or known.__module__.startswith("psycopg")):
                return ANSWERS[known]
    return ANSWERS[Exception]


def error_body(
    code: str,
    message: str,
    *,
    request: HttpRequest,
    details: Any = None,
    retry_after_seconds: int | None = None,
) -> dict[str, Any]:
    """Return the body that every error has (api-and-operations 1.2)."""
    body: dict[str, Any] = {
        "code": code,
        "message": message,
        "request_id": request_id_of(request),
    }
    if details:
        body["details"] = details
    if retry_after_seconds is not None:
        body["retry_after_seconds"] = retry_after_seconds
    return {"error": body}


def retry_after_of(error: BaseException) -> int | None:
    """Return after how many seconds the same request may work, None when that will not help."""
    if isinstance(error, errors.CircuitOpenError):
        return min(max(1, ceil(error.retry_after_seconds)), LONGEST_RETRY_AFTER_SECONDS)
    if isinstance(error, errors.TryLaterError):
        return max(1, ceil(error.retry_after_seconds))
    if reason := failures.reason_of(error):
        return failures.CONSEQUENCES[reason].retry_after_seconds
    return RETRY_AFTER_SECONDS if answer_of(error)[0] == "SERVICE_UNAVAILABLE" else None


def handle_exception(error: Exception, context: dict[str, Any]) -> Response:
    """Turn whatever a view raised into a response; REST framework calls this."""
    request = context["request"]
    request.META[FAILED_BY] = error
    code, status = answer_of(error)
    failures.record(error, path=request.path, principal=_caller(request))
    if isinstance(error, errors.TryLaterError):
        log.info("api.rejected", extra={"path": request.path, "code": code})
    elif status >= 500:
        log.error("http.error", extra={"path": request.path, "code": code}, exc_info=error)
    return Response(_body(error, request), status=status, headers=_headers(error))


def json_response(error: Exception, request: HttpRequest) -> JsonResponse:
    """Return the same response for what stands outside of REST framework: middleware, probes."""
    failures.record(error, path=request.path, principal="")
    status = answer_of(error)[1]
    headers = {**_headers(error), "Cache-Control": "no-store"}
    return JsonResponse(_body(error, request), status=status, headers=headers)


def _body(error: Exception, request: HttpRequest) -> dict[str, Any]:
    return error_body(
        answer_of(error)[0],
        message_of(error),
        request=request,
        details=details_of(error),
        retry_after_seconds=retry_after_of(error),
    )


def _caller(request: Any) -> str:
    """Return who calls, as far as that was found out before the error."""
    principal = getattr(request, "_user", None)  # `user` would authenticate once more
    return principal.name if isinstance(principal, Principal) else ""


def message_of(error: Exception) -> str:
    """Return what the caller reads; nothing of the database's own words, and no traceback."""
    if plain := PLAIN.get(answer_of(error)[0]):
        return plain
    if isinstance(error, Http404 | rest_errors.NotFound):
        return "There is nothing at this address"
    if isinstance(error, ConcurrentTransition | db.Error):
        return "It moved while the request looked at it, and nothing was changed; try again"
    if isinstance(error, rest_errors.ValidationError):
        places = ", ".join(each["path"] for each in details_of(error))
        return f"The request is wrong at {places}"
    return str(error)


def details_of(error: Exception) -> Any:
    """Return what is wrong in particular: places of a request, or the missing permission."""
    if isinstance(error, PermissionMissingError):
        return {"required_permission": error.required.value}
    if isinstance(error, errors.TaskerError):
        return [problem._asdict() for problem in error.problems]
    if isinstance(error, rest_errors.ValidationError):
        return list(_places(error.detail))
    return None


def _places(detail: Any, path: str = "") -> Any:
    """Yield path and message of everything that a serializer found wrong."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            is_general = key == "non_field_errors"
            yield from _places(value, path if is_general else f"{path}.{key}".lstrip("."))
    elif isinstance(detail, list):
        for value in detail:
            yield from _places(value, path)
    else:
        yield {"path": path, "message": str(detail)}


def _headers(error: Exception) -> dict[str, str]:
    reason = failures.reason_of(error)
    headers = failures.headers_of(reason) if reason else {}
    if (seconds := retry_after_of(error)) is not None:
        headers["Retry-After"] = str(seconds)
    return headers
