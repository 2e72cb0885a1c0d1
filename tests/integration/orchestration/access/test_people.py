"""What people may: permissions and groups in Django's tables, and the namespaces they see."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.contrib.auth.models import Permission as DjangoPermission
from django.core.management import call_command

from orchestration.access.groups import ensure_permissions_and_groups
from orchestration.access.permissions import ROLES, Permission, permissions_of_user
from orchestration.access.principals import principal_of_user
from orchestration.access.scope import scope_of_user
from orchestration.queries.scope import EVERYTHING, NOTHING, Scope

pytestmark = pytest.mark.django_db


def held_by(group: str) -> set[str]:
    return set(Group.objects.get(name=group).permissions.values_list("codename", flat=True))


def member(*groups: str, **attributes) -> User:
    user = User.objects.create_user("bob", **{"is_staff": True, **attributes})
    user.groups.set([Group.objects.get_or_create(name=name)[0] for name in groups])
    return user


def test_the_seventeen_permissions_are_there_after_migrating():
    ours = DjangoPermission.objects.filter(
        content_type__app_label="orchestration", content_type__model="access"
    )

    assert {each.codename for each in ours} == {each.codename for each in Permission}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_a_group_that_opens_what_it_says(role):
    assert held_by(f"tasker-{role}") == {each.codename for each in ROLES[role]}
    assert permissions_of_user(member(f"tasker-{role}")) == ROLES[role]


def test_a_group_that_was_changed_is_left_alone_and_a_missing_one_made_again():
    Group.objects.get(name="tasker-viewer").permissions.clear()
    Group.objects.get(name="tasker-operator").delete()

    ensure_permissions_and_groups()

    assert held_by("tasker-viewer") == set()
    assert held_by("tasker-operator") == {each.codename for each in ROLES["operator"]}


@pytest.mark.parametrize("attributes", [{"is_staff": False}, {"is_active": False}])
def test_only_active_staff_may_anything(attributes):
    assert permissions_of_user(member("tasker-admin", **attributes)) == frozenset()


def test_a_person_sees_the_namespaces_of_its_groups():
    assert scope_of_user(member("ns:orders", "ns:stock", "tasker-admin")) == Scope(
        frozenset({"orders", "stock"})
    )


def test_a_person_without_a_group_sees_nothing():
    assert scope_of_user(member("tasker-admin")) == NOTHING
    assert scope_of_user(AnonymousUser()) == NOTHING


def test_a_person_sees_everything_with_the_group_of_all_namespaces():
    assert scope_of_user(member("ns:*", "ns:orders")) == EVERYTHING


def test_a_superuser_may_and_sees_everything_without_a_query(django_assert_num_queries):
    boss = User.objects.create_superuser("ann")

    with django_assert_num_queries(0):
        principal = principal_of_user(boss)

    assert principal.permissions == set(Permission)
    assert (principal.scope, principal.is_sovereign) == (EVERYTHING, True)


def test_a_superuser_that_is_not_staff_or_not_active_may_nothing():
    for attributes in ({"is_staff": False}, {"is_active": False}):
        boss = User(username="ann", is_superuser=True, **{"is_staff": True, **attributes})
        assert principal_of_user(boss).permissions == frozenset()
        assert not principal_of_user(boss).is_sovereign


@pytest.mark.django_db(transaction=True)
def test_a_flushed_database_gets_its_groups_again():
    call_command("flush", interactive=False, verbosity=0)

    assert Group.objects.filter(name__startswith="tasker-").count() == len(ROLES)
