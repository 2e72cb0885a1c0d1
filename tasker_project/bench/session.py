"""A signed-in person for the web process of a measurement: where DEBUG is off, the API is closed.

The session is made in the bench database directly; signing in by password would measure a hash that
is slow on purpose.
"""

import secrets
from typing import NamedTuple

from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)
from django.contrib.sessions.backends.db import SessionStore

USER = "bench"
BACKEND = "django.contrib.auth.backends.ModelBackend"


class Session(NamedTuple):
    """What a browser would send along."""

    cookies: dict[str, str]
    headers: dict[str, str]


def sign_in() -> Session:
    """Return a session of a superuser of the bench database."""
    users = get_user_model()._default_manager
    user, _ = users.get_or_create(
        username=USER, defaults={"is_staff": True, "is_superuser": True, "password": "!"}
    )
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = BACKEND
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    token = secrets.token_hex(16)  # a CSRF secret is 32 letters or digits
    return Session(
        {"sessionid": str(store.session_key), "csrftoken": token}, {"X-CSRFToken": token}
    )
