"""What the tests of the admin share: signed-in clients, a way to act as the pages do, a counter."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orchestration.admin import namespace_names
from orchestration.models import DlqEntry, Task, WorkflowStep
from tests.hand_actions.in_admin import perform


@pytest.fixture
def boss(client: Client, db: None) -> Client:
    """Return a client that is signed in as the superuser `ann`."""
    client.force_login(User.objects.create_superuser("ann"))
    return client


@pytest.fixture
def act(boss: Client) -> Callable[..., Any]:
    """Return a function that chooses an action for objects, confirms it, and follows."""
    return partial(perform, boss)


@pytest.fixture
def grant(db: None) -> Callable[..., User]:
    """Return a function that makes the staff user `bob` with some permissions of Tasker.

    He sees every namespace unless some are named.
    """

    def make(*codenames: str, namespaces: tuple[str, ...] = ("*",), name: str = "bob") -> User:
        user = User.objects.create_user(name, is_staff=True)
        held = Permission.objects.filter(codename__in=codenames)
        assert held.count() == len(codenames)
        user.user_permissions.set(held)
        groups = [Group.objects.get_or_create(name=f"ns:{each}")[0] for each in namespaces]
        user.groups.set(groups)
        return user

    return make


@pytest.fixture
def role(db: None, client: Client) -> Callable[..., Client]:
    """Return a function that signs somebody in who is in the group of a role."""

    def sign_in(name: str, *, namespaces: tuple[str, ...] = ("*",)) -> Client:
        user = User.objects.create_user(f"the-{name}", is_staff=True)
        names = [f"tasker-{name}", *(f"ns:{each}" for each in namespaces)]
        user.groups.set([Group.objects.get_or_create(name=each)[0] for each in names])
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def at_most() -> Callable[[int], Any]:
    """Return a guard for the statements of a page; savepoints come from the test itself."""

    @contextmanager
    def guard(most: int) -> Iterator[None]:
        with CaptureQueriesContext(connections["default"]) as captured:
            yield
        counted = [q["sql"] for q in captured if "SAVEPOINT" not in q["sql"][:20]]
        assert len(counted) <= most, "\n\n".join(counted)

    return guard


@pytest.fixture(autouse=True)
def _fresh_names() -> None:
    """Forget the names of namespaces that another test's database had."""
    namespace_names._kept = type(namespace_names._kept)(namespace_names._all_names)


@pytest.fixture
def known_kinds(db: None) -> None:
    """Look up the content types that every process keeps after its first log entry."""
    ContentType.objects.get_for_models(Task, WorkflowStep, DlqEntry)
