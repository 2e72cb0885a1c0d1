"""What the tests of the admin share: signed-in clients and a way to act as the pages do."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from orchestration.models import Task

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@pytest.fixture
def boss(client: Client, db: None) -> Client:
    """Return a client that is signed in as the superuser `ann`."""
    client.force_login(User.objects.create_superuser("ann"))
    return client


@pytest.fixture
def act(boss: Client) -> Callable[..., Any]:
    """Return a function that chooses an action for objects, confirms it, and follows."""

    def perform(model: str, action: str, *objects: Any, reason: str = "r", **more: str) -> Any:
        body = {"action": action, "_selected_action": [str(each.pk) for each in objects]}
        path = f"/admin/orchestration/{model}/"
        page = boss.post(path, body | more).content.decode()
        confirmed: dict[str, Any] = {"reason": reason}
        for name, value in HIDDEN.findall(page):
            confirmed.setdefault(name, []).append(value)
        return boss.post(path, confirmed, follow=True)

    return perform


@pytest.fixture
def grant(db: None) -> Callable[..., User]:
    """Return a function that makes the staff user `bob` with some permissions of Tasker."""

    def make(*codenames: str) -> User:
        user = User.objects.create_user("bob", is_staff=True)
        kind = ContentType.objects.get_for_model(Task)
        for codename in codenames:
            permission, _ = Permission.objects.get_or_create(codename=codename, content_type=kind)
            user.user_permissions.add(permission)
        return user

    return make
