"""Every call with every kind of credential, in production and in development."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from orchestration.access.permissions import Permission
from tests.access_table import (
    NAMESPACE,
    OTHER_NAMESPACE,
    TABLE,
    URLCONFS,
    Row,
    body_in,
    calls_of,
    make_world,
    path_in,
)
from tests.credentials import Client, every_kind, key, with_key

pytestmark = pytest.mark.django_db
CALLS = [pytest.param(call, row, id=" ".join(call)) for call, row in TABLE.items()]
Ask = Callable[[APIClient, str], Any]


def test_every_call_of_every_process_has_its_row():
    served = {call for urlconf in URLCONFS for call in calls_of(urlconf)}

    assert served == set(TABLE)


def rolled_back(work: Callable[[], Any]) -> Any:
    before = transaction.savepoint()
    try:
        return work()
    finally:
        transaction.savepoint_rollback(before)


def statuses(
    call: tuple[str, str], row: Row, path: str, *, only: Collection[str] = ()
) -> dict[str, int]:
    """Return how the call is answered to each kind of credential, each on the same world."""
    method, _ = call

    def ask(make: Client) -> int:
        body = {} if method == "get" else {"data": row.body}
        return int(getattr(make(), method)(path, **body).status_code)

    kinds: Mapping[str, Client] = every_kind(row.opened_by, NAMESPACE)
    return {
        kind: rolled_back(partial(ask, make))
        for kind, make in kinds.items()
        if not only or kind in only
    }


@pytest.mark.parametrize(("call", "row"), CALLS)
def test_production_lets_in_who_may_and_nobody_else(settings, call, row):
    settings.TASKER = {"environment": "production"}
    refused = 403 if row.permission else row.answer

    found = statuses(call, row, path_in(call[1], make_world()))

    assert found == {
        "nothing": 401,
        "no key at all": 401,
        "a token": 401,
        "unknown key": 401,
        "expired key": 401,
        "revoked key": 401,
        "key without permission": refused,
        "key of another namespace": row.elsewhere,
        "key without namespaces": row.elsewhere,
        "key": row.answer,
        "key with wildcards": row.answer,
        "plain user": 401,
        "inactive user": 401,
        "staff without permission": refused,
        "staff without namespace": row.elsewhere,
        "staff": row.answer,
        "superuser": row.answer,
    }


@pytest.mark.parametrize(("call", "row"), CALLS)
def test_development_is_open_to_everybody_and_closed_without_debug(settings, call, row):
    settings.TASKER, settings.DEBUG = {"environment": "development"}, True
    path = path_in(call[1], make_world())

    kinds = ("nothing", "unknown key", "key without namespaces", "plain user", "staff")

    found = statuses(call, row, path, only=kinds)
    settings.TASKER = {"environment": "development", "api_docs": "authenticated"}
    settings.DEBUG = False
    closed = statuses(call, row, path, only=["nothing"])

    assert found == dict.fromkeys(kinds, row.answer)
    assert closed == {"nothing": 401}


@pytest.mark.parametrize(("call", "row"), CALLS)
def test_every_call_refuses_a_parameter_it_does_not_know(api, call, row):
    method, route = call
    path = path_in(route, make_world())

    answer = getattr(api, method)(f"{path}?nmae=x", **({} if method == "get" else {"data": {}}))

    assert answer.status_code == 400, answer.content
    if not route.endswith("/ui"):
        assert "'nmae'" in answer.content.decode()


@pytest.mark.parametrize(("call", "row"), CALLS)
def test_nothing_of_another_namespace_is_in_any_answer(settings, call, row):
    settings.TASKER = {"environment": "production"}
    method, route = call
    foreign = make_world(OTHER_NAMESPACE)
    make_world()
    client = with_key(key(Permission, [NAMESPACE]))

    body = {} if method == "get" else {"data": body_in(row, OTHER_NAMESPACE)}
    answer = getattr(client, method)(path_in(route, foreign), **body)

    assert answer.status_code == row.elsewhere
    asked_for = {each for each in foreign.uuids if each in path_in(route, foreign)}
    told = {each for each in foreign.uuids if each in answer.content.decode()}
    assert told <= asked_for  # what the caller sent may come back in the message
    assert "context of foreign" not in answer.content.decode()
