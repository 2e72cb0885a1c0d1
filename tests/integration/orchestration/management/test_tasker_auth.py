"""`manage.py tasker auth`: keys and permissions from the command line, and the frame around it."""

import json
import logging
import sys
from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from orchestration.access.key_lookup import principal_of_key
from orchestration.access.permissions import ROLES, Permission
from orchestration.access.principals import principal_of_command_line
from orchestration.models import ApiKey, KeyState
from tasker_project import console
from tests import command_line
from tests.credentials import signed_in

pytestmark = pytest.mark.django_db


tasker = partial(command_line.tasker, "auth")


def create(*arguments: str) -> command_line.Ended:
    return tasker("create-key", "--name=shop", "--permission=tasks:create", *arguments)


def test_a_key_is_made_shown_once_and_lets_in():
    User.objects.create_user("eve")

    made = create("-n", "orders", "-n", "stock", "--expires", "90d", "--owner", "eve")

    assert made.code == 0
    text = made.body["key"]
    assert principal_of_key(text).permissions == {Permission.TASKS_CREATE}
    key = ApiKey.objects.get()
    assert (key.namespaces, key.created_by) == (
        ["orders", "stock"],
        principal_of_command_line().name,
    )
    assert key.expires_at is not None
    assert abs(key.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=5)
    assert made.body["owner"] == "user:eve"
    assert "shown this once" in made.err
    assert text not in tasker("list-keys").out
    assert text not in made.err


def test_a_key_may_get_all_permissions_of_a_role_as_they_are_now():
    made = tasker("create-key", "--name=x", "--group-permissions=operator", "-n=*")

    assert set(made.body["permissions"]) == {each.value for each in ROLES["operator"]}


def test_a_wildcard_and_a_key_that_sees_nothing_are_warned_of():
    made = tasker("create-key", "--name=x", "--permission=*")

    assert "what is added later: *" in made.err
    assert "sees no namespace" in made.err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["create-key", "--name=x", "--permission=tasks:raed"], 2, "did you mean 'tasks:read'"),
        (["create-key", "--name=x"], 2, "permissions are empty"),
        (["create-key", "--name=x", "--permission=*", "-n", "Bad"], 2, "'Bad' is no namespace"),
        (["create-key", "--name=x", "--permission=*", "--owner=nope"], 3, "no user 'nope'"),
        (["revoke-key", "nope"], 3, "no API key with the prefix 'nope'"),
        (["show-permissions", "user:nope"], 3, "no user 'nope'"),
        (["show-permissions", "nope"], 2, "no principal like user:ann"),
    ],
)
def test_a_failure_has_its_exit_code_and_tells_in_the_form_that_was_asked_for(
    arguments, code, told
):
    machine, person = tasker(*arguments), tasker(*arguments, form="table")

    assert (machine.code, machine.out) == (person.code, person.out) == (code, "")
    assert told in json.loads(machine.err)["error"]["message"]
    assert person.err.startswith("Error: ")
    assert told in person.err
    assert not ApiKey.objects.exists()


def test_keys_are_listed_the_newest_first_with_their_states():
    assert tasker("list-keys", form="table").err == "There are no API keys.\n"
    first, second = create().body, create().body
    ApiKey.objects.filter(prefix=first["prefix"]).update(
        created_at=timezone.now() - timedelta(days=1), name="\x1b[31mred"
    )

    assert [each["prefix"] for each in tasker("list-keys").body] == [
        second["prefix"],
        first["prefix"],
    ]
    table = tasker("list-keys", form="table").out
    assert "active" in table
    assert "\x1b" not in table


@pytest.mark.parametrize("form", ["{prefix}", "tsk_{prefix}", "{key}"])
def test_a_key_is_revoked_once(form):
    made = create().body

    revoked = tasker("revoke-key", form.format(**made))
    again = tasker("revoke-key", made["prefix"])

    assert (revoked.code, revoked.body["state"]) == (0, "revoked")
    assert revoked.body["revoked_by"] == principal_of_command_line().name
    assert again.code == 4


def test_a_key_can_be_let_run_out_and_kept_after_all():
    made = create().body

    ending = tasker("expire-key", made["prefix"], "--expires", "7d")
    assert ending.body["expires_at"] is not None
    kept = tasker("expire-key", made["prefix"], "--never")
    assert kept.body["expires_at"] is None
    assert ApiKey.objects.get().state is KeyState.ACTIVE


def test_permissions_are_shown_with_what_they_open_and_who_has_them():
    rows = tasker("show-permissions").body

    assert [row["permission"] for row in rows] == [each.value for each in Permission]
    assert rows[0]["roles"] == ["submitter", "admin"]
    assert "create tasks" in tasker("show-permissions", form="table").out


def test_what_one_principal_may_is_shown():
    signed_in("bob", [Permission.DLQ_READ], ["orders"])
    made = create("-n=*").body

    assert tasker("show-permissions", "user:bob").body == {
        "principal": "user:bob",
        "permissions": ["dlq:read"],
        "namespaces": ["orders"],
    }
    assert tasker("show-permissions", f"api_key:{made['prefix']}").body["namespaces"] == ["*"]


@pytest.mark.django_db(transaction=True)  # the script closes the connections at its end
def test_a_bad_form_in_the_environment_is_refused(monkeypatch, capsys):
    monkeypatch.setenv("TASKER_CLI_FORMAT", "xml")
    monkeypatch.setattr(sys, "argv", ["tasker", "auth", "list-keys"])

    with pytest.raises(SystemExit) as ended:
        console.main()

    assert ended.value.code == 2
    assert "TASKER_CLI_FORMAT = 'xml'" in capsys.readouterr().err


def test_one_document_is_printed_whatever_is_logged(caplog, capsys):
    caplog.set_level(logging.INFO, logger="orchestration")
    handler = logging.StreamHandler(sys.stdout)  # as production logs
    logging.getLogger().addHandler(handler)
    try:
        call_command("tasker", "auth", "create-key", "--name=x", "--permission=*", "--format=json")
    finally:
        logging.getLogger().removeHandler(handler)

    printed = capsys.readouterr()
    assert json.loads(printed.out)["prefix"]
    assert "key.created" in printed.err


def test_an_interrupted_verb_ends_with_130(monkeypatch):
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ApiKey.objects, "select_related", lambda *_: interrupt())

    assert tasker("list-keys").code == 130
