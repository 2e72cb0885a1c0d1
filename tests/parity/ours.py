"""Asks our modules what the published sources say, and collects where the answers differ.

A published call must be accepted here with the same meaning of every argument: the same names, the
same places, the same defaults. Ours may accept more.
"""

import inspect
from collections import Counter
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from tests.parity.published import Package
from tests.parity.surface import REQUIRED, Class, Function, Kind, Parameter, Signature, Value

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Comparison:
    """Goes through the published package and notes differences and what was compared."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.counts: Counter[str] = Counter()
        self.differences: dict[str, str] = {}
        self._seen: set[tuple[str, str, int]] = set()

    def run(self) -> "Comparison":
        """Compare everything."""
        for module in sorted(self.package.modules):
            self.counts["modules"] += 1
            for name in self.package.public_names(module):
                self._compare_name(module, name)
        return self

    def _note(self, place: str, problem: str) -> None:
        self.differences[place] = problem

    def _compare_name(self, module: str, name: str) -> None:
        self.counts["names"] += 1
        place = f"{module}.{name}"
        try:
            ours = getattr(import_module(module), name)
        except (ImportError, AttributeError) as error:
            self._note(place, f"is missing: {error}")
            return
        if self.package.is_module(module, name):
            return
        theirs = self.package.define(module, name)
        if isinstance(theirs, Value) or self._was_compared(theirs, ours):
            return
        if isinstance(theirs, Class):
            self._compare_class(f"{theirs.module}.{theirs.name}", theirs, ours)
        else:
            self.counts["functions"] += 1
            self._compare_signature(place, theirs.signature, signature_of(ours))

    def _was_compared(self, theirs: Class | Function, ours: object) -> bool:
        """Say whether this pair was met before, under a name in another module."""
        if isinstance(theirs, Function):
            return False
        pair = (theirs.module, theirs.name, id(ours))
        is_known = pair in self._seen
        self._seen.add(pair)
        return is_known

    def _compare_class(self, place: str, theirs: Class, ours: Any) -> None:
        self.counts["classes"] += 1
        if not isinstance(ours, type):
            self._note(place, f"is no class but {ours!r}")
            return
        self._compare_bases(place, theirs, ours)
        if theirs.is_model and not issubclass(ours, BaseModel):
            self._note(place, "is no pydantic model")
        for name, default in theirs.fields.items():
            self._compare_field(f"{place}.{name}", name, default, ours)
        if theirs.is_model or theirs.fields:
            self._compare_additions(place, theirs, ours)
        for name, value in theirs.constants.items():
            self._compare_constant(f"{place}.{name}", name, value, ours)
        if theirs.constructor is not None:
            self._compare_signature(f"{place}()", theirs.constructor, signature_of(ours))
        for name, function in theirs.functions.items():
            self._compare_method(f"{place}.{name}", name, function, ours)

    def _compare_bases(self, place: str, theirs: Class, ours: type) -> None:
        for module, name in theirs.bases:
            base = getattr(import_module(module), name, None)
            self.counts["bases"] += 1
            if not (isinstance(base, type) and issubclass(ours, base)):
                self._note(f"{place}({name})", "is no base")

    def _compare_field(self, place: str, name: str, default: Any, ours: type) -> None:
        self.counts["fields"] += 1
        if not has_attribute(ours, name):
            self._note(place, "is no field")

    def _compare_additions(self, place: str, theirs: Class, ours: type) -> None:
        for name in sorted(field_names(ours) - set(theirs.fields)):
            self._note(f"{place}.{name}", "is an additional field")

    def _compare_constant(self, place: str, name: str, value: Any, ours: type) -> None:
        self.counts["constants"] += 1
        if not has_attribute(ours, name):
            self._note(place, "is missing")
            return
        found = getattr(ours, name, REQUIRED)
        found = found.value if isinstance(found, Enum) else found
        if value is not REQUIRED and found != value:
            self._note(place, f"is {found!r}, not {value!r}")

    def _compare_method(self, place: str, name: str, theirs: Function, ours: type) -> None:
        self.counts["properties" if theirs.kind is Kind.PROPERTY else "methods"] += 1
        if theirs.kind is Kind.PROPERTY:
            if not has_attribute(ours, name):
                self._note(place, "is missing")
            return
        found = getattr(ours, name, None)
        if not callable(found):
            self._note(place, "is missing")
            return
        is_bound = theirs.kind is Kind.METHOD
        self._compare_signature(place, theirs.signature, signature_of(found, drops_self=is_bound))

    def _compare_signature(self, place: str, theirs: Signature, ours: Signature) -> None:
        for wanted in theirs.parameters:
            self.counts["parameters"] += 1
            self._compare_parameter(f"{place}({wanted.name})", wanted, theirs, ours)
        if theirs.takes_any_keyword and not ours.takes_any_keyword:
            self._note(f"{place}(**)", "takes no further keywords")
        known = {each.name for each in theirs.parameters}
        for extra in ours.parameters:
            if extra.name not in known and extra.default is REQUIRED:
                self._note(f"{place}({extra.name})", "is required here only")

    def _compare_parameter(
        self, place: str, wanted: Parameter, theirs: Signature, ours: Signature
    ) -> None:
        found = ours.named(wanted.name)
        if found is None:
            if not ours.takes_any_keyword:
                self._note(place, "is not accepted")
            return
        if wanted.is_positional and not ours.takes_any_positional:
            is_in_place = found.is_positional and ours.place(wanted.name) == theirs.place(
                wanted.name
            )
            if not is_in_place:
                self._note(place, "has another place")
        if wanted.default is not REQUIRED:
            self.counts["defaults"] += 1
            if found.default is REQUIRED or plain(found.default) != plain(wanted.default):
                self._note(place, f"is by default {shown(found.default)}, not {wanted.default!r}")


def signature_of(found: Any, *, drops_self: bool = False) -> Signature:
    """Describe one of our callables."""
    parameters = list(inspect.signature(found).parameters.values())
    if drops_self:
        parameters = parameters[1:]
    defaults = field_defaults(found)
    return Signature(
        tuple(
            Parameter(each.name, _default(each, defaults), each.kind in POSITIONAL)
            for each in parameters
            if each.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        ),
        any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters),
        any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters),
    )


def _default(parameter: inspect.Parameter, defaults: dict[str, Any]) -> Any:
    if parameter.name in defaults:
        return defaults[parameter.name]
    return REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default


def field_defaults(found: Any) -> dict[str, Any]:
    """Return the defaults that a model or dataclass makes anew each time."""
    if isinstance(found, type) and issubclass(found, BaseModel):
        return {
            info.alias or name: info.get_default(call_default_factory=True, validated_data={})
            for name, info in found.model_fields.items()
            if not info.is_required()
        }
    if isinstance(found, type) and is_dataclass(found):
        return {
            each.name: each.default_factory()
            for each in fields(found)
            if each.default_factory is not MISSING
        }
    return {}


def field_names(ours: type) -> set[str]:
    """Return the public fields of a model or dataclass."""
    if issubclass(ours, BaseModel):
        return {info.alias or name for name, info in ours.model_fields.items() if not info.exclude}
    return {each.name for each in fields(ours) if each.repr} if is_dataclass(ours) else set()


def has_attribute(ours: type, name: str) -> bool:
    """Say whether instances of a class have an attribute, as far as its declarations tell."""
    if hasattr(ours, name) or name in field_names(ours):
        return True
    constructor = inspect.getattr_static(ours, "__init__")
    if not inspect.isfunction(constructor):
        return False
    return f"self.{name} " in inspect.getsource(constructor).replace(":", " ")


def plain(value: Any) -> Any:
    """Return a value that compares with a literal; an object made anew is known by its class."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str | int | float | bool | dict | list | tuple | None):
        return value
    return type(value).__name__


def shown(value: Any) -> str:
    """Return a default in words."""
    return "required" if value is REQUIRED else repr(value)
