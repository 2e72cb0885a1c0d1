"""Making and revoking API keys: one function each, for the admin and the command line alike.

Nobody grants what he does not hold. The text of a key leaves this module once, in the answer of
`create_key`; it is stored nowhere and logged nowhere.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from orchestration.access.key_lookup import forget_keys
from orchestration.access.key_text import hash_of, new_key_text
from orchestration.access.permissions import (
    Permission,
    expand,
    is_wildcard,
    refusal_of_grant,
)
from orchestration.access.principals import Principal
from orchestration.access.scope import refusal_of_namespace, scope_of
from orchestration.errors import (
    ActionRefusedError,
    InvalidRequestError,
    NotFoundError,
    Problem,
    TaskerError,
)
from orchestration.models import ApiKey
from orchestration.queries.operator_records import record_action

log = logging.getLogger(__name__)
LONGEST_NAME = 128


class GrantRefusedError(TaskerError):
    """Somebody wants to give away what he does not hold."""

    code = "FORBIDDEN"


class CreatedKey(NamedTuple):
    """A new key, and its text, which cannot be had again."""

    key: ApiKey
    text: str


def create_key(  # noqa: PLR0913 - the columns of a key, and who makes it why
    *,
    name: str,
    permissions: Iterable[str],
    namespaces: Iterable[str],
    granted_by: Principal,
    owner: User | None = None,
    expires_at: datetime | None = None,
    reason: str = "",
) -> CreatedKey:
    """Make a key. `permissions` may hold `tasks:*` and `*`, `namespaces` may hold `*`.

    A key without namespaces sees nothing that belongs to one. Raises `InvalidRequestError`, and
    `GrantRefusedError` when the granter holds less than the key would.
    """
    grants, spaces = list(dict.fromkeys(permissions)), list(dict.fromkeys(namespaces))
    if problems := list(_problems(name, grants, spaces, expires_at)):
        told = "; ".join(f"{problem.path} {problem.message}" for problem in problems)
        raise InvalidRequestError(f"Cannot make the API key '{name}': {told}", problems=problems)
    _refuse_gifts(grants, spaces, granted_by)
    made = new_key_text()
    with transaction.atomic():
        key = ApiKey.objects.create(
            name=name.strip(),
            prefix=made.prefix,
            key_hash=hash_of(made.text),
            permissions=grants,
            namespaces=spaces,
            owner=owner,
            created_by=granted_by.name,
            expires_at=expires_at,
        )
        _record(key, "key.created", granted_by, reason, before=None)
    log.info(
        "key.created",
        extra={"prefix": key.prefix, "actor": granted_by.name, "permissions": grants},
    )
    return CreatedKey(key, made.text)


def revoke_key(*, prefix: str, revoked_by: Principal, reason: str = "") -> ApiKey:
    """End a key for good. This process refuses it at once, others 10 seconds later at most.

    Raises `NotFoundError`, and `ActionRefusedError` for a key that was revoked before.
    """
    with transaction.atomic():
        key = _held(prefix, "revoke", "it is revoked already")
        before = _shown(key)
        key.revoked_at, key.revoked_by = timezone.now(), revoked_by.name
        key.save(update_fields=["revoked_at", "revoked_by"])
        _record(key, "key.revoked", revoked_by, reason, before=before)
    forget_keys()
    log.info("key.revoked", extra={"prefix": prefix, "actor": revoked_by.name})
    return key


def expire_key(
    *, prefix: str, expires_at: datetime | None, changed_by: Principal, reason: str = ""
) -> ApiKey:
    """Let a key end at a moment, or never; how keys are replaced without a gap.

    Raises `NotFoundError`, and `ActionRefusedError` for a revoked key.
    """
    with transaction.atomic():
        key = _held(prefix, "change", "it is revoked")
        before = _shown(key)
        key.expires_at = expires_at
        key.save(update_fields=["expires_at"])
        _record(key, "key.expiry_set", changed_by, reason, before=before)
    forget_keys()
    log.info(
        "key.expiry_set",
        extra={"prefix": prefix, "actor": changed_by.name, "expires_at": expires_at},
    )
    return key


def find_key(prefix: str) -> ApiKey:
    """Return the key of a prefix, also a dead one; raise `NotFoundError` for an unknown one."""
    return _only(ApiKey.objects.all(), prefix)


def _only(keys: QuerySet[ApiKey], prefix: str) -> ApiKey:
    try:
        return keys.select_related("owner").get(prefix=prefix)
    except ApiKey.DoesNotExist as error:
        raise NotFoundError(f"There is no API key with the prefix '{prefix}'") from error


def _held(prefix: str, verb: str, refusal: str) -> ApiKey:
    """Lock a key that is not revoked; refuse any other."""
    key = _only(ApiKey.objects.select_for_update(of=("self",)), prefix)
    if key.revoked_at is not None:
        raise ActionRefusedError(f"Cannot {verb} the API key '{prefix}': {refusal}")
    return key


def _shown(key: ApiKey) -> str:
    """Return what the record says of a key: its state, and when it ends."""
    end = key.expires_at.isoformat(timespec="seconds") if key.expires_at else "never"
    return f"{key.state.value}, ends {end}"


def _record(
    key: ApiKey, action: str, principal: Principal, reason: str, *, before: str | None
) -> None:
    record_action(key.pk, action, actor=principal.name, reason=reason, change=(before, _shown(key)))


def _problems(
    name: str, grants: Sequence[str], spaces: Sequence[str], expires_at: datetime | None
) -> Iterator[Problem]:
    if not 1 <= len(name.strip()) <= LONGEST_NAME or not name.isprintable():
        yield Problem("name", f"must have 1 to {LONGEST_NAME} printable characters")
    if not grants:
        yield Problem("permissions", "are empty: such a key opens nothing")
    for place, grant in enumerate(grants):
        if refusal := refusal_of_grant(grant):
            yield Problem(f"permissions[{place}]", refusal)
    for place, namespace in enumerate(spaces):
        if refusal := refusal_of_namespace(namespace):
            yield Problem(f"namespaces[{place}]", refusal)
    if expires_at is not None and expires_at <= timezone.now():
        yield Problem("expires_at", "lies in the past")


def _refuse_gifts(grants: Sequence[str], spaces: Sequence[str], granted_by: Principal) -> None:
    """Raise `GrantRefusedError` unless the granter holds everything that he gives away."""
    missing = [each.value for each in Permission if each in expand(grants) - granted_by.permissions]
    missing += [each for each in grants if is_wildcard(each) and not granted_by.is_sovereign]
    if missing:
        raise GrantRefusedError(
            f"'{granted_by.name}' cannot grant {', '.join(missing)}: it does not hold that itself"
        )
    if not granted_by.scope.covers(scope_of(spaces)):
        foreign = [each for each in spaces if not granted_by.scope.includes(each)]
        raise GrantRefusedError(
            f"'{granted_by.name}' cannot grant the namespaces {', '.join(foreign)}: they are "
            "outside of its own scope"
        )
