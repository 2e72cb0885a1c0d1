"""From the text of a key to its principal: looked up by prefix, compared by hash, remembered.

What was found is remembered for ten seconds in this process, so a busy program costs one query in
ten seconds, and a revoked key lives ten seconds longer at most. Nothing that was refused is
remembered. The time of the last use is written once a minute at most, before the request's own
transaction begins.
"""

import hmac
import logging
import time
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from orchestration.access.declared_keys import declared_principal
from orchestration.access.failures import CredentialRefusedError, Reason
from orchestration.access.key_text import hash_of, prefix_of
from orchestration.access.permissions import expand
from orchestration.access.principals import Principal
from orchestration.access.scope import scope_of
from orchestration.models import ApiKey, KeyState
from templates_registry.registry.recent import Recent

log = logging.getLogger(__name__)

REMEMBERED_SECONDS = 10
LAST_USE_EVERY = timedelta(minutes=1)
_NO_HASH = hash_of("")


class _Known(NamedTuple):
    principal: Principal
    expires_at: datetime | None
    forgotten_at: float


_recent: Recent[str, _Known] = Recent(1000)


def principal_of_key(text: str) -> Principal:
    """Return the principal of a key; raises `CredentialRefusedError`."""
    return remembered_principal(text) or _look_up(text)


def remembered_principal(text: str) -> Principal | None:
    """Return the principal of a key that is declared or was looked up lately; asks no database."""
    key_hash = hash_of(text)
    known = _recent.get(key_hash)
    if known is None or time.monotonic() >= known.forgotten_at:
        return declared_principal(key_hash)
    if known.expires_at is not None and known.expires_at <= timezone.now():
        raise CredentialRefusedError(Reason.EXPIRED, subject=known.principal.name)
    return known.principal


def forget_keys() -> None:
    """Look every key up again; after one was changed."""
    _recent.clear()


def _look_up(text: str) -> Principal:
    prefix = prefix_of(text)
    if prefix is None:
        raise CredentialRefusedError(Reason.MALFORMED, subject="api_key")
    key = ApiKey.objects.select_related("owner").filter(prefix=prefix).first()
    name = f"api_key:{prefix}"
    is_right = hmac.compare_digest(hash_of(text), key.key_hash if key else _NO_HASH)
    if key is None or not is_right:
        raise CredentialRefusedError(Reason.INVALID, subject=name)
    if key.state is not KeyState.ACTIVE:
        reason = Reason.EXPIRED if key.state is KeyState.EXPIRED else Reason.INVALID
        raise CredentialRefusedError(reason, subject=name)
    principal = Principal(name, expand(key.permissions), scope_of(key.namespaces))
    _note_use(key)
    until = time.monotonic() + REMEMBERED_SECONDS
    _recent.put(hash_of(text), _Known(principal, key.expires_at, until))
    return principal


def _note_use(key: ApiKey) -> None:
    """Write the time of the last use, unless that was done lately; no reason to refuse a call."""
    now = timezone.now()
    if key.last_used_at is not None and key.last_used_at > now - LAST_USE_EVERY:
        return
    is_old = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USE_EVERY)
    try:
        ApiKey.objects.filter(is_old, pk=key.pk).update(last_used_at=now)
    except DatabaseError as error:
        log.warning("key.use_not_noted", extra={"prefix": key.prefix, "error": str(error).strip()})
