"""A dict of results that fetches what it was not given, once, and only when that is asked for."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from workers.context import Ancestors, StepContext

ALL = {"parent": {"result": 1}, "grandparent": {"result": 2}}


class Source:
    """Counts how often everything was fetched."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> dict[str, Any]:
        self.count += 1
        return ALL


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def partial(source: Source) -> Ancestors:
    return Ancestors({"parent": {"result": 1}}, source)


def test_what_is_known_is_not_fetched(partial, source):
    context = StepContext(dependency_results=partial)

    assert context.get_dependency_result("parent") == 1
    assert "parent" in context.dependency_results
    assert context.dependency_results["parent"] == {"result": 1}
    assert source.count == 0


ASKING: list[Callable[[Any], Any]] = [
    lambda it: it["grandparent"],
    lambda it: it.get("grandparent"),
    lambda it: "grandparent" in it,
    len,
    list,
    dict,
    lambda it: {**it},
    lambda it: it | {},
    lambda it: list(it.keys()),
    lambda it: list(it.items()),
    lambda it: list(it.values()),
    lambda it: it == ALL,
    json.dumps,
    copy.copy,
    copy.deepcopy,
    lambda it: StepContext(dependency_results=it).get_dependency_result_keys(),
    lambda it: StepContext(dependency_results=it).get_all_dependency_results("grand"),
]


@pytest.mark.parametrize("ask", ASKING)
def test_whatever_asks_for_more_sees_everything_fetched_once(partial, source, ask):
    assert ask(partial) == ask(dict(ALL))
    assert ask(partial) == ask(dict(ALL))
    assert source.count == 1


def test_a_name_that_nobody_has_is_missing(partial):
    assert partial.get("stranger", 7) == 7
    assert "stranger" not in partial
    with pytest.raises(KeyError, match="stranger"):
        partial["stranger"]


def test_without_a_source_it_is_a_dict_like_any_other():
    complete = Ancestors(ALL)

    assert complete == ALL
    assert not complete.is_partial
    assert repr(complete) == repr(ALL)
