"""Keys are made by who may, shown once, and end when somebody says so."""

import logging
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from orchestration.access.api_keys import (
    GrantRefusedError,
    create_key,
    expire_key,
    revoke_key,
)
from orchestration.access.permissions import Permission, expand
from orchestration.access.principals import Principal, sovereign
from orchestration.access.scope import scope_of
from orchestration.errors import ActionRefusedError, InvalidRequestError, NotFoundError
from orchestration.models import ApiKey, KeyState

pytestmark = pytest.mark.django_db
BOSS = sovereign("cli:ann")
WANTED = {"name": "shop", "permissions": ["tasks:create"], "namespaces": ["orders"]}


def make(**change):
    return create_key(**{**WANTED, "granted_by": BOSS, **change})


def test_a_key_is_stored_by_its_hash_alone(caplog):
    with caplog.at_level(logging.INFO, logger="orchestration"):
        made = make(permissions=["tasks:*", "tasks:*", "dlq:read"])

    stored = ApiKey.objects.values().get()
    assert stored["permissions"] == ["tasks:*", "dlq:read"]
    assert (stored["prefix"], stored["created_by"]) == (made.text[4:12], "cli:ann")
    secret = made.text[13:]
    assert not any(secret in str(value) for value in stored.values())
    assert "key.created" in caplog.messages
    assert not any(secret in str(vars(record)) for record in caplog.records)
    assert secret not in str(made.key)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"permissions": []}, "permissions"),
        ({"permissions": ["tasks:create", "nope"]}, "permissions[1]"),
        ({"namespaces": ["Orders"]}, "namespaces[0]"),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "expires_at"),
    ],
)
def test_a_bad_wish_is_refused_by_its_path_and_makes_nothing(change, path):
    with pytest.raises(InvalidRequestError) as caught:
        make(**change)

    assert caught.value.problems[0].path == path
    assert not ApiKey.objects.exists()


OPERATOR = Principal("user:bob", expand(["tasks:*"]), scope_of(["orders", "stock"]))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"permissions": ["dlq:read"]}, "dlq:read"),
        ({"permissions": ["tasks:*"]}, "tasks:*"),  # would grow with what is added later
        ({"permissions": ["*"]}, "steps:read"),
        ({"namespaces": ["*"]}, "namespaces \\*"),
        ({"namespaces": ["orders", "foreign"]}, "namespaces foreign"),
    ],
)
def test_nobody_grants_what_he_does_not_hold(change, told):
    with pytest.raises(GrantRefusedError, match=told):
        make(granted_by=OPERATOR, **change)

    assert not ApiKey.objects.exists()


def test_somebody_grants_a_part_of_what_he_holds():
    made = make(granted_by=OPERATOR, permissions=["tasks:create", "tasks:read"])

    assert made.key.created_by == "user:bob"
    assert Permission.TASKS_READ in expand(made.key.permissions)


def test_a_revoked_key_stays_revoked():
    prefix = make().key.prefix

    revoked = revoke_key(prefix=prefix, revoked_by=BOSS)

    assert (revoked.state, revoked.revoked_by) == (KeyState.REVOKED, "cli:ann")
    with pytest.raises(ActionRefusedError):
        revoke_key(prefix=prefix, revoked_by=BOSS)
    with pytest.raises(ActionRefusedError):
        expire_key(prefix=prefix, expires_at=None, changed_by=BOSS)


def test_the_end_of_a_key_can_be_set_and_taken_back():
    prefix = make().key.prefix

    past = timezone.now() - timedelta(seconds=1)
    assert expire_key(prefix=prefix, expires_at=past, changed_by=BOSS).state is KeyState.EXPIRED
    assert expire_key(prefix=prefix, expires_at=None, changed_by=BOSS).state is KeyState.ACTIVE


@pytest.mark.parametrize("prefix", ["unknown1", "", "x" * 500])
def test_an_unknown_key_is_not_found(prefix):
    with pytest.raises(NotFoundError):
        revoke_key(prefix=prefix, revoked_by=BOSS)


def test_an_owner_of_keys_can_be_made_inactive_but_not_deleted():
    owner = User.objects.create_user("eve")
    key = make(owner=owner).key

    with pytest.raises(ProtectedError):
        owner.delete()
    owner.is_active = False
    owner.save()

    assert ApiKey.objects.get(pk=key.pk).state is KeyState.OWNER_INACTIVE


@pytest.mark.parametrize("change", [{"prefix": "short"}, {"key_hash": "no hash"}])
def test_the_database_refuses_what_is_no_key(change):
    row = {"prefix": "abcdefgh", "key_hash": "a" * 64, "permissions": [], "namespaces": []}

    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.create(name="x", created_by="x", **{**row, **change})
