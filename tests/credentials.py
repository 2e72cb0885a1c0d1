"""Every kind of credential that a request may carry, as a client that carries it.

Needs the database; the clients are those of REST framework, which ask for no CSRF token.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.contrib.auth.models import Permission as DjangoPermission
from django.utils import timezone
from rest_framework.test import APIClient

from orchestration.access.api_keys import create_key, revoke_key
from orchestration.access.key_lookup import forget_keys
from orchestration.access.key_text import new_key_text
from orchestration.access.permissions import Permission
from orchestration.access.principals import sovereign
from orchestration.models import ApiKey

BOSS = sovereign("cli:boss")
Client = Callable[[], APIClient]


def key(permissions: Iterable[str], namespaces: Iterable[str] = ("*",)) -> str:
    """Return the text of a new API key."""
    made = create_key(
        name="key of a test", permissions=permissions, namespaces=namespaces, granted_by=BOSS
    )
    return made.text


def with_key(text: str) -> APIClient:
    """Return a client that sends a key."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def signed_in(
    name: str = "ann",
    permissions: Iterable[Permission] = (),
    namespaces: Iterable[str] = ("*",),
    **attributes: bool,
) -> APIClient:
    """Return a client that is signed in as a new user; of the staff unless said otherwise."""
    user = User.objects.create(username=name, **{"is_staff": True, **attributes})
    codenames = [each.codename for each in permissions]
    user.user_permissions.set(
        DjangoPermission.objects.filter(content_type__model="access", codename__in=codenames)
    )
    user.groups.set([Group.objects.get_or_create(name=f"ns:{each}")[0] for each in namespaces])
    client = APIClient()
    client.force_login(user)
    return client


def every_kind(allowed: Iterable[Permission], namespace: str) -> Mapping[str, Client]:
    """Return a client for each kind of credential; `allowed` opens the call that is tested."""
    opens, others = list(allowed), sorted(set(Permission) - set(allowed))
    return {
        "nothing": APIClient,
        "no key at all": lambda: with_key("tsk_nonsense"),
        "a token": lambda: with_key("eyJhbGciOiJub25lIn0.e30."),
        "unknown key": lambda: with_key(new_key_text().text),
        "expired key": lambda: with_key(_expired(key(Permission))),
        "revoked key": lambda: with_key(_revoked(key(Permission))),
        "key without permission": lambda: with_key(key(others)),
        "key of another namespace": lambda: with_key(key(opens or others, ["elsewhere"])),
        "key without namespaces": lambda: with_key(key(opens or others, [])),
        "key": lambda: with_key(key(opens or others, [namespace])),
        "key with wildcards": lambda: with_key(key(["*"])),
        "plain user": lambda: signed_in("customer", permissions=Permission, is_staff=False),
        "inactive user": lambda: signed_in("old", permissions=Permission, is_active=False),
        "staff without permission": lambda: signed_in(permissions=others),
        "staff without namespace": lambda: signed_in(permissions=opens, namespaces=()),
        "staff": lambda: signed_in(permissions=opens, namespaces=[namespace]),
        "superuser": lambda: signed_in(is_superuser=True, namespaces=()),
    }


def _expired(text: str) -> str:
    past = timezone.now() - timedelta(seconds=1)
    ApiKey.objects.filter(prefix=text[4:12]).update(expires_at=past)
    forget_keys()
    return text


def _revoked(text: str) -> str:
    revoke_key(prefix=text[4:12], revoked_by=BOSS)
    return text
