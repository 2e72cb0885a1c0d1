"""What a grant stands for, which roles there are, and what a key looks like."""

import hashlib

import pytest

from orchestration.access.key_text import hash_of, new_key_text, prefix_of
from orchestration.access.permissions import (
    OPENS,
    ROLES,
    Permission,
    expand,
    refusal_of_grant,
)
from orchestration.access.scope import refusal_of_namespace, scope_of
from orchestration.queries.scope import EVERYTHING, NOTHING, Scope

DLQ = {Permission.DLQ_READ, Permission.DLQ_STATS, Permission.DLQ_UPDATE}


@pytest.mark.parametrize(
    ("grants", "meant"),
    [
        (["tasks:create"], {Permission.TASKS_CREATE}),
        (["dlq:*"], DLQ),
        (["dlq:*", "tasks:read"], DLQ | {Permission.TASKS_READ}),
        (["*"], set(Permission)),
        ([], set()),
        (["tasks", "tasks:", "*:read", "tasks:create "], set()),
    ],
)
def test_a_grant_stands_for_permissions(grants, meant):
    assert expand(grants) == meant


def test_there_are_seventeen_permissions_and_each_says_what_it_opens():
    assert len(Permission) == 17
    assert set(OPENS) == set(Permission)
    assert Permission.TASKS_CONTEXT_READ.codename == "tasks_context_read"


def test_a_word_that_is_no_grant_is_refused_with_the_nearest():
    assert refusal_of_grant("tasks:read") is None
    assert refusal_of_grant("tasks:raed") == (
        "'tasks:raed' is no permission; did you mean 'tasks:read'?"
    )
    assert refusal_of_grant("zzz") == "'zzz' is no permission"
    assert refusal_of_grant(5) is not None


def test_only_the_admin_role_may_everything_and_a_viewer_changes_nothing():
    assert [role for role, held in ROLES.items() if held == set(Permission)] == ["admin"]
    changing = {Permission.TASKS_CREATE, Permission.TASKS_CANCEL, Permission.STEPS_RESOLVE}
    assert not ROLES["viewer"] & (changing | {Permission.DLQ_UPDATE, Permission.TASKS_CONTEXT_READ})
    assert ROLES["viewer"] < ROLES["operator"] < ROLES["admin"]
    assert Permission.TASKS_CREATE not in ROLES["operator"]


def test_a_new_key_has_its_shape_and_is_never_the_same():
    first, second = new_key_text(), new_key_text()

    assert len(first.text) == len("tsk_") + 8 + 1 + 43
    assert prefix_of(first.text) == first.prefix != second.prefix
    assert hash_of(first.text) == hashlib.sha256(first.text.encode()).hexdigest()


@pytest.mark.parametrize("text", ["", "tsk_", "tsk_abcdefgh_short", "tsk_abcdefg_" + "x" * 44])
def test_another_text_is_no_key(text):
    assert prefix_of(text) is None


def test_a_scope_is_closed_unless_something_is_named():
    assert scope_of([]) == NOTHING
    assert scope_of(["a", "*"]) is EVERYTHING
    some = scope_of(["a", "b"])
    assert (some.includes("a"), some.includes("c"), some.includes(None)) == (True, False, False)
    assert EVERYTHING.includes(None)
    assert not NOTHING.includes("a")


def test_a_scope_covers_what_is_a_part_of_it():
    some = Scope(frozenset({"a", "b"}))

    assert some.covers(Scope(frozenset({"a"})))
    assert some.covers(NOTHING)
    assert not some.covers(Scope(frozenset({"c"})))
    assert not some.covers(EVERYTHING)
    assert EVERYTHING.covers(EVERYTHING)


@pytest.mark.parametrize("name", ["", "A", "a" * 30, "1a", "a-b", None])
def test_what_is_no_namespace_is_refused(name):
    assert refusal_of_namespace(name) is not None
    assert refusal_of_namespace("orders_2") is refusal_of_namespace("*") is None
