"""calculate_dependency_levels: the longest path from a root."""

import pytest
from django.db import DatabaseError, transaction

from orchestration.models import WorkflowStepEdge
from orchestration.testing import dag, diamond, linear, tree
from tests.sql.rows import Built, ask, build, graph_of

pytestmark = pytest.mark.django_db


def levels(built: Built) -> dict[str, int]:
    rows = ask("SELECT * FROM calculate_dependency_levels(%s)", built.uuid)
    assert rows == sorted(rows, key=lambda r: (r["dependency_level"], r["workflow_step_uuid"]))
    names = built.names(row["workflow_step_uuid"] for row in rows)
    return dict(zip(names, (row["dependency_level"] for row in rows), strict=True))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (linear(4), [0, 1, 2, 3]),
        (diamond(), [0, 1, 1, 2]),
        (tree(), [0, 1, 1, 2, 2, 2, 2, 3]),
        (dag(), [0, 1, 1, 2, 2, 2, 3]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_levels_follow_the_shape(template, expected):
    built = build(graph_of(template))

    assert sorted(levels(built).values()) == expected


def test_the_longest_path_counts_when_a_shortcut_exists():
    built = build({"a": [], "b": ["a"], "c": ["b"], "d": ["c", "a"]})

    assert levels(built) == {"a": 0, "b": 1, "c": 2, "d": 3}


def test_a_task_without_steps_has_no_levels():
    assert levels(build({})) == {}


def test_only_the_steps_of_the_task_are_answered():
    build({"other": []})

    assert levels(build({"own": []})) == {"own": 0}


@pytest.mark.parametrize("closing", [("c", "b"), ("c", "a")], ids=["below a root", "no root left"])
def test_a_cycle_raises_instead_of_looping(closing):
    built = build({"a": [], "b": ["a"], "c": ["b"]})
    start, end = closing
    WorkflowStepEdge.objects.create(from_step=built.steps[start], to_step=built.steps[end])

    with pytest.raises(DatabaseError, match=f"{built.uuid}.*cycle"), transaction.atomic():
        levels(built)
