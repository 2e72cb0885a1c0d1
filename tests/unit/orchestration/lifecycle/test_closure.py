"""Which steps follow when a gate has spoken: the rule of engine.md 10.1, case by case."""

import time

import pytest

from orchestration.lifecycle.closure import Edge, Present, grow
from tests.factories.dynamic import approval, batched, dynamic

INITIAL = Present(is_dynamic=False, is_done=True)
SILENT = Present(is_dynamic=False, is_done=False)
CREATED = Present(is_dynamic=True, is_done=True)
CREATED_SILENT = Present(is_dynamic=True, is_done=False)


def grown(template, present, finished, *started):
    """Return the names of what is added and the edges as `parent>child`, with other names."""
    growth = grow(template, present, finished=finished, started=started)
    edges = {
        f"{edge.parent}>{edge.child}" + ("" if edge.name == "provides" else f":{edge.name}")
        for edge in growth.edges
    }
    return " ".join(growth.steps), edges


# ------------------------------------------------------------ decisions


def test_named_branch_brings_the_convergence_that_waits_for_it_alone():
    present = {"validate": INITIAL, "decide": INITIAL}

    assert grown(approval(), present, "decide", "small") == (
        "small finish",
        {"decide>small", "small>finish"},
    )


def test_convergence_waits_for_every_named_branch():
    present = {"validate": INITIAL, "decide": INITIAL}

    assert grown(approval(), present, "decide", "large", "medium") == (
        "medium large finish",
        {"decide>medium", "decide>large", "medium>finish", "large>finish"},
    )


def test_nothing_follows_without_branches():
    assert grown(approval(), {"validate": INITIAL, "decide": INITIAL}, "decide") == ("", set())


def test_what_depends_on_a_branch_follows_it_unless_it_is_a_branch_itself():
    template = dynamic("t", "s; ?d < s; a < d; b < a; c < a d; e < b x; x < d")
    present = {"s": INITIAL, "d": INITIAL}

    # c depends directly on the decision; e waits for d in place of x, which will never be.
    assert grown(template, present, "d", "a") == ("a b e", {"d>a", "a>b", "b>e", "d>e"})


def test_step_further_down_may_be_named():
    template = dynamic("t", "s; ?d < s; a < d; b < a s; c < b")
    present = {"s": INITIAL, "d": INITIAL}

    assert grown(template, present, "d", "b") == ("b c", {"d>b", "s>b", "b>c"})


def test_step_that_depends_on_nothing_new_is_not_added():
    template = dynamic("t", "s; ?d < s; a < d; +late < s d")

    assert grown(template, {"s": INITIAL, "d": INITIAL}, "d") == ("", set())


def test_convergence_does_not_wait_for_branches_of_a_decision_that_never_came():
    template = dynamic("t", "s; ?d < s; a < d; n < d; ?e < n; b < e; +end < a b")
    present = {"s": INITIAL, "d": INITIAL}

    assert grown(template, present, "d", "a") == ("a end", {"d>a", "a>end"})


def test_convergence_waits_until_a_nested_decision_has_spoken():
    template = dynamic("t", "s; ?d < s; a < d; ?e < a; b < e; c < e; +end < a b c")
    before = {"s": INITIAL, "d": INITIAL}
    after = {**before, "a": CREATED, "e": CREATED}

    assert grown(template, before, "d", "a") == ("a e", {"d>a", "a>e"})
    assert grown(template, after, "e", "c") == ("c end", {"e>c", "a>end", "c>end"})
    assert grown(template, after, "e") == ("end", {"a>end"})


def test_convergence_is_not_added_before_a_later_gate_of_the_same_closure():
    # `end` stands before the steps between in the file: the order of looking must not matter.
    template = dynamic("t", "s; +end < a c; ?d < s; a < d; c < e; ?e < b; b < a")

    assert grown(template, {"s": INITIAL, "d": INITIAL}, "d", "a") == (
        "a b e",
        {"d>a", "a>b", "b>e"},
    )


def test_named_step_is_created_although_one_of_its_dependencies_may_still_appear():
    template = dynamic("t", "s; ?d < s; ?e < s; a < d; b < e; c < a b")
    present = {"s": INITIAL, "d": INITIAL, "e": SILENT}

    assert grown(template, present, "d", "c") == ("c", {"d>c"})


def test_step_named_twice_is_left_alone():
    template = dynamic("t", "s; ?d < s; ?e < s; a < d e; b < a")
    present = {"s": INITIAL, "d": INITIAL, "e": INITIAL, "a": CREATED, "b": CREATED}

    assert grown(template, present, "e", "a") == ("", set())


TWO = "s; ?d < s; ?e < s; a < d; b < e;"


@pytest.mark.parametrize("join", ["+end < a b", "end < a b"], ids=["convergence", "standard"])
@pytest.mark.parametrize(
    ("first", "second"), [(["a"], ["b"]), (["a"], []), ([], ["b"])], ids=["both", "one", "other"]
)
def test_join_of_two_decisions_comes_with_the_last_of_them(join, first, second):
    template = dynamic("t", f"{TWO} {join}")
    before = {"s": INITIAL, "d": INITIAL, "e": SILENT}
    created = dict.fromkeys(first, CREATED)

    assert grown(template, before, "d", *first)[0] == " ".join(first)
    after = {**before, **created, "e": INITIAL}
    assert grown(template, after, "e", *second)[0] == " ".join([*second, "end"])


def test_join_of_two_decisions_never_comes_when_both_want_nothing():
    template = dynamic("t", f"{TWO} +end < a b")

    assert grown(template, {"s": INITIAL, "d": INITIAL, "e": INITIAL}, "e") == ("", set())


# ------------------------------------------------------------ batches


def test_instances_bring_their_convergence():
    assert grown(batched(), {"analyse": INITIAL}, "analyse", "work") == (
        "work aggregate",
        {"analyse>work:batch_dependency", "work>aggregate:worker_to_convergence"},
    )


def test_nothing_follows_without_batches():
    assert grown(batched(), {"analyse": INITIAL}, "analyse") == ("", set())


def test_instance_waits_for_the_other_dependencies_of_its_worker():
    template = dynamic("t", "s; *b < s; #w < b s gone; gone < d; ?d < s; +end < w")

    assert grown(template, {"s": INITIAL, "b": INITIAL, "d": INITIAL}, "b", "w") == (
        "w end",
        {"b>w:batch_dependency", "s>w", "w>end:worker_to_convergence"},
    )


def test_batches_inside_a_branch_hold_the_convergence_back():
    template = dynamic("t", "s; ?d < s; a < d; *b < d; #w < b; +end < a w")
    before = {"s": INITIAL, "d": INITIAL}
    after = {**before, "a": CREATED, "b": CREATED}

    assert grown(template, before, "d", "a", "b") == ("a b", {"d>a", "d>b"})
    assert grown(template, after, "b", "w") == (
        "w end",
        {"b>w:batch_dependency", "a>end", "w>end:worker_to_convergence"},
    )
    assert grown(template, after, "b") == ("end", {"a>end"})


def test_convergence_waits_for_the_second_analyser_of_a_worker():
    template = dynamic("t", "s; *b < s; *c < s; #w < b c; +end < w")
    before = {"s": INITIAL, "b": INITIAL, "c": SILENT}

    assert grown(template, before, "b", "w")[0] == "w"
    after = {**before, "c": INITIAL, "w": CREATED_SILENT}
    growth = grow(template, after, finished="c", started=["w"])

    assert growth.steps == ("w", "end")
    assert Edge("c", "w", "batch_dependency") in growth.edges
    assert Edge("w", "end", "worker_to_convergence") in growth.edges


# ------------------------------------------------------------ size


def test_ten_thousand_steps_are_looked_at_in_linear_time():
    chain = "; ".join(f"n{i} < n{i - 1}" for i in range(1, 10_000))
    template = dynamic("t", f"s; ?d < s; n0 < d; {chain}")

    began = time.perf_counter()
    growth = grow(template, {"s": INITIAL, "d": INITIAL}, finished="d", started=["n0"])
    took = time.perf_counter() - began

    assert len(growth.steps) == len(growth.edges) == 10_000
    assert took < 5  # 0.1 s on an idle machine; a quadratic rule takes minutes
