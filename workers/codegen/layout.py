"""Expressions of generated code, laid out as a formatter would: one line, or one item each.

An expression is a JSON value, a `Raw` piece of code or a `Call`; lists and maps may hold any of
them. What does not fit a line is opened, with a comma behind its last item, so that formatters of
any line length leave it alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workers.codegen.text import WIDTH, literal, pieces

STEP = 4  # columns of one level
Expression = Any  # JSON value | Raw | Call | list or map of them


@dataclass(frozen=True)
class Raw:
    """Code that is taken as it is."""

    code: str


@dataclass(frozen=True)
class Call:
    """A call; `notes` are comments behind single keywords."""

    target: str
    arguments: Sequence[Expression] = ()
    keywords: Mapping[str, Expression] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Items between brackets: a tuple, a set, the names of an import, the parameters of a `def`."""

    opening: str
    items: Sequence[str]
    closing: str
    notes: Mapping[str, str] = field(default_factory=dict)


def show(expression: Expression, *, indent: int = 0, before: int = 0, after: int = 0) -> str:
    """Return an expression as code.

    `indent` is the margin of its line, `before` and `after` count the columns that stand left of
    its first and right of its last line.
    """
    one_line = flat(expression)
    if not _has_notes(expression) and indent + before + len(one_line) + after <= WIDTH:
        return one_line
    if isinstance(expression, str):
        wanted = WIDTH - indent - 2
        return f"\n{' ' * indent}".join(pieces(expression, width=wanted - before))
    opening, parts, closing = _opened(expression)
    if not parts:
        return one_line
    margin = " " * (indent + STEP)
    lines = [
        f"{margin}{prefix}{show(each, indent=indent + STEP, before=len(prefix), after=1)},{note}"
        for prefix, each, note in parts
    ]
    return "\n".join([opening, *lines, " " * indent + closing])


def flat(expression: Expression) -> str:
    """Return an expression on one line."""
    if isinstance(expression, Raw):
        return expression.code
    if isinstance(expression, str):
        return literal(expression)
    if isinstance(expression, list | dict | Call | Group):
        opening, parts, closing = _opened(expression)
        inside = ", ".join(f"{prefix}{flat(each)}" for prefix, each, _ in parts)
        return f"{opening}{inside}{closing}"
    return repr(expression)


def _has_notes(expression: Expression) -> bool:
    return isinstance(expression, Call | Group) and any(expression.notes.values())


def _opened(expression: Expression) -> tuple[str, list[tuple[str, Expression, str]], str]:
    """Return the brackets and, for each item, what stands before, the item and the note behind."""
    if isinstance(expression, list):
        return "[", [("", each, "") for each in expression], "]"
    if isinstance(expression, dict):
        items = [(f"{literal(key)}: ", each, "") for key, each in expression.items()]
        return "{", items, "}"
    if isinstance(expression, Group):
        items = [("", Raw(each), expression.notes.get(each, "")) for each in expression.items]
        return expression.opening, items, expression.closing
    if isinstance(expression, Call):
        items = [("", each, "") for each in expression.arguments]
        items += [
            (f"{name}=", each, expression.notes.get(name, ""))
            for name, each in expression.keywords.items()
        ]
        return f"{expression.target}(", items, ")"
    return flat(expression), [], ""
