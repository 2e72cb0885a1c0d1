"""How a model differs from a JSON Schema of a template: pure, from two JSON Schemas to differences.

A handler either gives what the schema describes (its result) or takes it (inputs, results of
earlier steps). What breaks a step in one direction may be harmless in the other: a model may take
less than there is, but not give less than promised.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

Schema = Mapping[str, Any]
_NOTHING: Schema = {}
_TYPES = {
    bool: "boolean",
    str: "string",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}


class Kind(StrEnum):
    """In what way a model and a schema differ."""

    MISSING = "missing field"
    EXTRA = "extra field"
    TYPE = "type mismatch"
    REQUIRED = "required mismatch"


class Difference(NamedTuple):
    """One difference, in a sentence; harmless ones can break no step."""

    kind: Kind
    text: str
    is_harmless: bool = False


class Names(NamedTuple):
    """What the two sides are called in sentences."""

    schema: str
    model: str


def compare(schema: Schema, model: Schema, *, names: Names, model_gives: bool) -> list[Difference]:
    """Return how a model's JSON Schema differs from the schema of a template."""
    return list(_Comparison(schema, model, names, model_gives).objects(schema, model, ""))


@dataclass
class _Comparison:
    """Two schemas with their definitions; a pair is not compared again inside itself."""

    schema: Schema
    model: Schema
    names: Names
    model_gives: bool
    opened: set[tuple[int, int]] = field(default_factory=set)

    def objects(self, schema: Any, model: Any, path: str) -> Iterator[Difference]:
        """Yield the differences of two objects, with those of everything in them."""
        schema, model = _followed(schema, self.schema), _followed(model, self.model)
        pair = id(schema), id(model)
        if pair in self.opened:
            return
        self.opened.add(pair)
        yield from self._properties(schema, model, path)
        self.opened.remove(pair)

    def _properties(self, schema: Schema, model: Schema, path: str) -> Iterator[Difference]:
        theirs, ours = schema.get("properties", _NOTHING), model.get("properties", _NOTHING)
        if not theirs or not ours:
            return
        for key, each in theirs.items():
            place = f"{path}{key}"
            if key in ours:
                is_required = key in schema.get("required", ()), key in model.get("required", ())
                yield from self._field(each, ours[key], place, is_required)
            elif not model.get("additionalProperties"):
                text = f"{self.names.schema} has '{place}', which {self.names.model} has not."
                yield Difference(Kind.MISSING, text, not self.model_gives)
        for key in ours:
            if key not in theirs and not schema.get("additionalProperties"):
                text = f"{self.names.model} has '{path}{key}', which {self.names.schema} has not."
                yield Difference(Kind.EXTRA, text)

    def _field(
        self, schema: Any, model: Any, place: str, is_required: tuple[bool, bool]
    ) -> Iterator[Difference]:
        in_schema, in_model = is_required
        if in_schema != in_model:
            one, other = self.names if in_schema else reversed(self.names)
            text = f"'{place}' is required by {one}, but not by {other}."
            yield Difference(Kind.REQUIRED, text, in_schema != self.model_gives)
        yield from self._values(schema, model, place, may_lack=not in_model)

    def _values(
        self, schema: Any, model: Any, place: str, *, may_lack: bool = False
    ) -> Iterator[Difference]:
        """Yield the differences of two values; None stands for a lacking one, where it may lack."""
        theirs, ours = _types(schema, self.schema), _types(model, self.model)
        if theirs is None or ours is None:
            return
        given, taken = (ours, theirs) if self.model_gives else (theirs, ours)
        if may_lack:
            given = given - {"null"}
        if not all(_fits(each, taken) for each in given):
            schema_name, model_name = self.names
            text = (
                f"'{place}' is {_words(theirs)} in {schema_name}, {_words(ours)} in {model_name}."
            )
            yield Difference(Kind.TYPE, text)
            return
        yield from self._inside(schema, model, place)

    def _inside(self, schema: Any, model: Any, place: str) -> Iterator[Difference]:
        schema, model = _only(schema, self.schema), _only(model, self.model)
        yield from self.objects(schema, model, f"{place}.")
        for word, suffix in (("items", "[]"), ("additionalProperties", ".*")):
            ours, theirs = model.get(word), schema.get(word)
            if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
                yield from self._values(theirs, ours, f"{place}{suffix}")


def _followed(schema: Any, root: Schema) -> Schema:
    """Return what a schema refers to inside its root; nothing for what cannot be followed."""
    for _ in range(100):
        if not isinstance(schema, Mapping):
            return _NOTHING
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        schema = _at(reference, root)
    return _NOTHING


def _at(reference: str, root: Schema) -> Any:
    found: Any = root
    for part in reference.removeprefix("#").split("/")[1:]:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _alternatives(schema: Any, root: Schema) -> list[Schema]:
    found = _followed(schema, root)
    nested = found.get("anyOf") or found.get("oneOf")
    if not nested:
        return [found]
    return [each for one in nested for each in _alternatives(one, root)]


def _only(schema: Any, root: Schema) -> Schema:
    """Return the schema of a value that is not null, if there is one."""
    found = [each for each in _alternatives(schema, root) if each.get("type") != "null"]
    return found[0] if len(found) == 1 else _NOTHING


def _types(schema: Any, root: Schema) -> frozenset[str] | None:
    """Return the JSON types that a schema allows; None when it does not say."""
    found: set[str] = set()
    for each in _alternatives(schema, root):
        named = each.get("type")
        if isinstance(named, str):
            found.add(named)
        elif isinstance(named, list):
            found.update(named)
        elif "properties" in each:
            found.add("object")
        elif values := each.get("enum") or ([each["const"]] if "const" in each else None):
            found.update(_TYPES[type(value)] for value in values)
        else:
            return None
    return frozenset(found)


def _fits(given: str, taken: frozenset[str]) -> bool:
    return given in taken or (given == "integer" and "number" in taken)


def _words(types: frozenset[str]) -> str:
    return " or ".join(sorted(types))
