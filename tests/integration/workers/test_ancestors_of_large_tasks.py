"""A claim in a large task brings the parents' results; a handler sees those of all ancestors."""

import secrets

import pytest

from orchestration.queries.steps import ancestor_results
from orchestration.testing import linear, shape
from tests.factories import ticks
from workers import depends_on, step_handler
from workers.testing import run_inline

pytestmark = pytest.mark.django_db
LEAVES = 100


def large(**template):
    """Return a template of two steps in a row and many that follow them."""
    leaves = {f"leaf_{n}": ["second"] for n in range(LEAVES)}
    return shape("large", {"first": [], "second": ["first"], **leaves}, **template)


def claim_behind_two(template):
    ticks.start(template)
    ticks.run_step({"number": 1})
    ticks.run_step({"number": 2})
    return ticks.claim(limit=1)[0]


def test_a_claim_of_a_large_task_brings_the_results_of_the_parents_only():
    claim = claim_behind_two(large())

    assert not claim.has_all_ancestors
    assert set(claim.dependency_results) == {"second"}
    found = ancestor_results(claim.workflow_step_uuid)
    assert {name: each["result"] for name, each in found.items()} == {
        "first": {"number": 1},
        "second": {"number": 2},
    }


def test_a_claim_of_a_large_task_leaves_a_large_result_to_who_asks_for_it():
    ticks.start(large())
    ticks.run_step({"number": 1})
    ticks.run_step({"many": [secrets.token_hex(16) for _ in range(100)]})
    [claim] = ticks.claim(limit=1)

    assert claim.dependency_results == {}
    assert set(ancestor_results(claim.workflow_step_uuid)) == {"first", "second"}


def test_a_claim_of_a_task_of_usual_size_brings_them_all():
    claim = claim_behind_two(linear(LEAVES))

    assert claim.has_all_ancestors
    assert set(claim.dependency_results) == {"step_1", "step_2"}


def test_handlers_of_a_large_task_see_all_ancestors():
    @step_handler("test.sync_leaf")
    @depends_on(far="first")
    def sync_leaf(far, context):
        return {"far": far["step"], "saw": sorted(context.get_dependency_result_keys())}

    @step_handler("test.async_leaf")
    @depends_on(far="first")
    async def async_leaf(far, context):
        return {"far": far["step"], "saw": sorted(context.get_dependency_result_keys())}

    @step_handler("test.raw_leaf")
    def raw_leaf(context):
        results = context.event.task_sequence_step["dependency_results"]
        return {"far": results["first"]["result"]["step"], "saw": sorted(results)}

    made = {"test.sync_leaf": sync_leaf, "test.async_leaf": async_leaf, "test.raw_leaf": raw_leaf}
    kinds = ("sync", "async", "raw")
    steps = {
        f"leaf_{n}": {"handler": {"callable": f"test.{kind}_leaf"}} for n, kind in enumerate(kinds)
    }

    run = run_inline(large(steps=steps), handlers=made)

    run.assert_complete()
    assert [run.result(f"leaf_{n}") for n in range(3)] == [
        {"far": "first", "saw": ["first", "second"]}
    ] * 3
