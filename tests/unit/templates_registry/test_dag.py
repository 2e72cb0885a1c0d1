"""The graph of steps."""

from graphlib import CycleError

import pytest

from templates_registry import dag

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
LONG = {str(number): [str(number - 1)] if number else [] for number in range(20_000)}


def test_order_puts_dependencies_first() -> None:
    order = dag.topological_order(DIAMOND)

    assert order[0] == "a"
    assert order[-1] == "d"
    assert sorted(order) == ["a", "b", "c", "d"]


def test_a_cycle_has_no_order() -> None:
    with pytest.raises(CycleError):
        dag.topological_order({"a": ["b"], "b": ["a"]})


def test_a_cycle_is_named_in_running_order() -> None:
    cycle = dag.find_cycle({"a": ["c"], "b": ["a"], "c": ["b"], "d": []})

    assert len(cycle) == 4
    assert cycle[0] == cycle[-1]
    assert " ".join(cycle) in "a b c a b c a"


def test_no_cycle_is_an_empty_list() -> None:
    assert dag.find_cycle(DIAMOND) == []


def test_ancestors_and_descendants_are_transitive() -> None:
    assert dag.ancestors(DIAMOND, ["d"]) == {"a", "b", "c"}
    assert dag.descendants(DIAMOND, ["a"]) == {"b", "c", "d"}
    assert dag.descendants(DIAMOND, ["b", "c"]) == {"d"}
    assert dag.descendants(DIAMOND, ["d"]) == set()


def test_a_start_on_a_cycle_reaches_itself() -> None:
    assert dag.descendants({"a": ["b"], "b": ["a"]}, ["a"]) == {"a", "b"}


def test_dependents_turn_the_graph_round() -> None:
    assert dag.dependents(DIAMOND) == {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}


def test_the_level_of_a_step_is_its_longest_way_from_a_root() -> None:
    graph = {"a": [], "b": ["a"], "c": ["b", "a"], "d": ["a", "c"], "alone": []}

    assert dag.levels(graph) == {"a": 0, "b": 1, "c": 2, "d": 3, "alone": 0}


def test_a_long_chain_is_no_problem() -> None:
    assert dag.find_cycle(LONG) == []
    assert len(dag.descendants(LONG, ["0"])) == len(LONG) - 1
    assert len(dag.topological_order(LONG)) == len(LONG)
