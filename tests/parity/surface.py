"""The shapes in which a public surface is described, whoever's it is."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

REQUIRED = object()
"""Stands for the default of a parameter or field that has none."""


class Kind(StrEnum):
    """How a callable is reached."""

    FUNCTION = "function"
    METHOD = "method"
    CLASS_METHOD = "class method"
    STATIC_METHOD = "static method"
    PROPERTY = "property"


class Parameter(NamedTuple):
    """One parameter; `is_positional` says whether it may be given by its place."""

    name: str
    default: Any
    is_positional: bool


class Signature(NamedTuple):
    """What a callable accepts, without `self` or `cls`."""

    parameters: tuple[Parameter, ...]
    takes_any_positional: bool = False
    takes_any_keyword: bool = False

    def named(self, name: str) -> Parameter | None:
        """Return a parameter, None when there is none of this name."""
        return next((each for each in self.parameters if each.name == name), None)

    def place(self, name: str) -> int:
        """Return the place of a positional parameter."""
        return [each.name for each in self.parameters if each.is_positional].index(name)


class Function(NamedTuple):
    """A function, method or property."""

    kind: Kind
    signature: Signature


@dataclass
class Class:
    """A class: its constructor, what it has, and the public classes it stands on."""

    module: str
    name: str
    bases: list[tuple[str, str]] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)  # name -> default or REQUIRED
    constants: dict[str, Any] = field(default_factory=dict)
    constructor: Signature | None = None
    is_model: bool = False
    is_enum: bool = False


class Value(NamedTuple):
    """A public name that is neither class nor function: an alias or a constant."""

    module: str
    name: str


Definition = Class | Function | Value
