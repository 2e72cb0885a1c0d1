"""Every hand action through every door leaves who, when, why, from and to (engine.md 9).

The tables of `tests/hand_actions` say what there is; a new action without a row fails here.
"""

from types import ModuleType

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from orchestration.access.permissions import Permission
from orchestration.access.principals import principal_of_command_line
from tests.credentials import key, with_key
from tests.hand_actions import (
    WHY,
    Action,
    Record,
    World,
    at_command_line,
    in_admin,
    in_python,
    nothing,
    over_api,
    records,
)

pytestmark = pytest.mark.django_db
DOORS = (over_api, in_admin, at_command_line, in_python)


def walk(door: ModuleType) -> list[object]:
    return [pytest.param(action, id=name) for name, action in door.ACTIONS.items()]


@pytest.fixture
def api_key() -> str:
    return key(Permission)


@pytest.fixture
def world(client: Client, api_key: str) -> World:
    client.force_login(User.objects.create_superuser("ann"))
    return World(with_key(api_key), client)


@pytest.mark.parametrize("door", DOORS)
def test_every_action_of_a_door_has_its_row(door):
    offered = door.offered()

    assert offered - set(door.ACTIONS) - set(door.HARMLESS) == set()
    assert set(door.ACTIONS) - offered == set()


def assert_recorded(world: World, action: Action, who: str) -> None:
    action.prepare(world)
    before = records()

    action.do(world)

    made = {uuid: record for uuid, record in records().items() if uuid not in before}
    assert made, "it left nothing"
    flawed = {record: flaws for record in made.values() if (flaws := record.flaws(who, action.why))}
    assert not flawed


@pytest.mark.parametrize("action", walk(over_api))
def test_what_is_done_over_the_api_is_recorded(settings, world, api_key, action):
    settings.TASKER = {"environment": "production"}

    assert_recorded(world, action, f"api_key:{api_key[4:12]}")


@pytest.mark.parametrize("action", walk(in_admin))
def test_what_is_done_in_the_admin_is_recorded_and_stands_in_its_log(world, action):
    action.prepare(world)
    LogEntry.objects.all().delete()

    assert_recorded(world, action._replace(prepare=nothing), "user:ann")

    [entry] = LogEntry.objects.select_related("user")
    assert entry.user.get_username() == "ann"
    assert entry.change_message.endswith(action.why)


@pytest.mark.parametrize("action", walk(at_command_line))
def test_what_is_done_at_the_command_line_is_recorded(world, action):
    assert_recorded(world, action, principal_of_command_line().name)


@pytest.mark.parametrize("action", walk(in_python))
def test_what_is_done_in_python_is_recorded(world, action):
    assert_recorded(world, action, in_python.WHO)


def test_the_walk_sees_what_a_record_lacks():
    good = Record("user:ann", WHY, "error", "pending", is_dated=True, is_beginning=False)
    bad = Record(None, "", None, "", is_dated=False, is_beginning=False)

    assert good.flaws("user:ann", WHY) == []
    assert bad.flaws("user:ann", WHY) == ["who: None", "why: ", "when", "from", "to"]
