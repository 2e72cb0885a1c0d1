"""Ids of nodes: the step's name where Mermaid can read it, else a number; never the same twice."""

import re
from collections.abc import Collection, Sequence

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_WORDS = frozenset(
    [
        "class",
        "classdef",
        "click",
        "default",
        "direction",
        "end",
        "flowchart",
        "graph",
        "linkstyle",
        "style",
        "subgraph",
    ]
)


def unique_ids(wanted: Sequence[tuple[str, str]]) -> list[str]:
    """Return an id for each (name, number): a plain name itself, else the number (`step_7`).

    A number that is the name of another step gives way to it by a `_` at its end.
    """
    plain = {name for name, _ in wanted if _is_plain(name)}
    given: dict[str, None] = {}
    for name, number in wanted:
        is_own = name in plain and name not in given
        given[name if is_own else _free(number, plain, given)] = None
    return list(given)


def _is_plain(name: str) -> bool:
    """Tell whether Mermaid can read a name as it is."""
    return _PLAIN.fullmatch(name) is not None and name.lower() not in _WORDS


def _free(text: str, *taken: Collection[str]) -> str:
    while any(text in names for names in taken):
        text += "_"
    return text
