"""From the text of a key to its principal: who is let in, what is remembered, what is written."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.asserts import assertNumQueries  # type: ignore[attr-defined]

from orchestration.access import key_lookup
from orchestration.access.api_keys import create_key, expire_key, revoke_key
from orchestration.access.failures import CredentialRefusedError, Reason
from orchestration.access.key_lookup import forget_keys, principal_of_key
from orchestration.access.key_text import hash_of, new_key_text
from orchestration.access.permissions import Permission
from orchestration.access.principals import sovereign
from orchestration.models import ApiKey
from orchestration.queries.scope import EVERYTHING, Scope

pytestmark = pytest.mark.django_db
BOSS = sovereign("cli:ann")


def make(**change):
    wanted = {"name": "shop", "permissions": ["tasks:read"], "namespaces": ["orders"]}
    return create_key(**{**wanted, "granted_by": BOSS, **change})


def refusal(text: str) -> Reason:
    with pytest.raises(CredentialRefusedError) as caught:
        principal_of_key(text)
    assert text not in str(caught.value)
    return caught.value.reason


def test_a_key_lets_in_with_its_permissions_and_namespaces():
    made = make()

    principal = principal_of_key(made.text)

    assert principal.name == f"api_key:{made.key.prefix}"
    assert principal.permissions == {Permission.TASKS_READ}
    assert principal.scope == Scope(frozenset({"orders"}))


def test_a_key_of_all_namespaces_sees_everything():
    assert principal_of_key(make(namespaces=["*"]).text).scope == EVERYTHING


def test_what_is_no_key_of_ours_is_refused():
    made = make()

    assert refusal("hello") is Reason.MALFORMED
    assert refusal(new_key_text().text) is Reason.INVALID
    assert refusal(made.text[:-1] + ("a" if made.text[-1] != "a" else "b")) is Reason.INVALID


def test_a_dead_key_is_refused():
    owner = User.objects.create_user("eve")
    revoked, expired, owned = make(), make(), make(owner=owner)
    revoke_key(prefix=revoked.key.prefix, revoked_by=BOSS)
    expire_key(
        prefix=expired.key.prefix,
        expires_at=timezone.now() - timedelta(seconds=1),
        changed_by=BOSS,
    )
    User.objects.update(is_active=False)

    assert refusal(revoked.text) is Reason.INVALID
    assert refusal(expired.text) is Reason.EXPIRED
    assert refusal(owned.text) is Reason.INVALID


def test_a_key_is_looked_up_once_in_ten_seconds_and_its_use_written_once_a_minute(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("orchestration.access.key_lookup.time.monotonic", lambda: now[0])
    made = make()

    with assertNumQueries(2):
        principal_of_key(made.text)
    with assertNumQueries(0):
        principal_of_key(made.text)
    first_use = ApiKey.objects.get().last_used_at
    now[0] += key_lookup.REMEMBERED_SECONDS
    with assertNumQueries(1):
        principal_of_key(made.text)

    assert first_use is not None
    ApiKey.objects.update(last_used_at=first_use - timedelta(minutes=1))
    forget_keys()
    principal_of_key(made.text)
    assert ApiKey.objects.get().last_used_at >= first_use


def test_a_key_that_is_revoked_here_is_refused_here_at_once():
    made = make()
    principal_of_key(made.text)

    revoke_key(prefix=made.key.prefix, revoked_by=BOSS)

    assert refusal(made.text) is Reason.INVALID


def test_a_key_that_is_revoked_elsewhere_lives_ten_seconds_at_most(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("orchestration.access.key_lookup.time.monotonic", lambda: now[0])
    made = make()
    principal_of_key(made.text)
    ApiKey.objects.update(revoked_at=timezone.now())

    principal_of_key(made.text)
    now[0] += key_lookup.REMEMBERED_SECONDS

    assert refusal(made.text) is Reason.INVALID


def test_a_remembered_key_still_expires(monkeypatch):
    made = make(expires_at=timezone.now() + timedelta(hours=1))
    principal_of_key(made.text)

    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr("orchestration.access.key_lookup.timezone.now", lambda: later)

    assert refusal(made.text) is Reason.EXPIRED


def test_a_declared_key_lets_in_without_a_database_row(settings):
    text = "a-key-for-tests"
    settings.TASKER = {
        "api_keys": [{"key": text, "permissions": ["dlq:*"], "namespaces": ["orders"]}]
    }

    with assertNumQueries(0):
        principal = principal_of_key(text)

    assert principal.name == f"api_key:{hash_of(text)[:8]}"
    assert principal.may(Permission.DLQ_UPDATE)
    assert principal.scope == Scope(frozenset({"orders"}))


def test_production_ignores_a_plain_declared_key_and_takes_a_hash(settings):
    plain, hashed = "a-plain-key", "a-hashed-key"
    everything = {"permissions": ["*"], "namespaces": ["*"]}
    settings.TASKER = {
        "environment": "production",
        "api_keys": [{"key": plain, **everything}, {"key_sha256": hash_of(hashed), **everything}],
    }

    assert refusal(plain) is Reason.MALFORMED
    assert principal_of_key(hashed).scope == EVERYTHING
