"""JSON Schemas of a template as Python types: annotation, stub value, nested models.

Only what has one plain Python type is typed; anything else is `Any`, with a warning that says where
and why. Nothing is validated here: the registry has done that.
"""

import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from workers.codegen.layout import Call, Expression
from workers.codegen.naming import Names, class_name, distinct, variable
from workers.codegen.text import may_be_secret

Schema = Mapping[str, Any]

_PLAIN: dict[str, tuple[str, Any]] = {
    "integer": ("int", 0),
    "number": ("float", 0.0),
    "boolean": ("bool", False),
}
_IMPORTED = ("Any", "BaseModel", "ConfigDict", "Field")
# A field of such a name would hide what annotations need, or a part of pydantic's models.
_NO_FIELD = frozenset(
    [*keyword.kwlist, *dir(BaseModel), *_IMPORTED, "str", "int", "float", "bool", "list", "dict"]
)


@dataclass(frozen=True)
class Shape:
    """A Python type for one schema, and a value of it."""

    annotation: str
    stub: Any  # as JSON
    model: "Model | None" = None  # when the type is a model itself

    def stub_code(self, prefix: str = "") -> Expression:
        """Return the stub as code; a model becomes an instance of it."""
        return self.stub if self.model is None else self.model.stub_code(prefix)


@dataclass(frozen=True)
class Field:
    """One field of a model."""

    key: str  # as in the schema
    name: str  # as in Python
    shape: Shape
    is_required: bool
    description: str = ""
    allowed: tuple[str, ...] = ()

    @property
    def may_be_secret(self) -> bool:
        """Whether a linter may take the field's stub for a password."""
        return may_be_secret(self.name) and bool(self.shape.stub)


@dataclass(frozen=True)
class Model:
    """A model for one object schema."""

    name: str
    description: str
    fields: tuple[Field, ...]

    @property
    def has_aliases(self) -> bool:
        """Whether a field is called differently in the schema."""
        return any(each.key != each.name for each in self.fields)

    @property
    def stub(self) -> dict[str, Any]:
        """The stub as JSON: every field with its stub value."""
        return {each.key: each.shape.stub for each in self.fields}

    def stub_code(self, prefix: str = "") -> Expression:
        """Return an instance of stubs, from JSON where keywords do not do."""
        target = f"{prefix}{self.name}"
        if self.has_aliases or any(each.may_be_secret for each in self.fields):
            return Call(f"{target}.model_validate", [self.stub])
        return Call(
            target, keywords={each.name: each.shape.stub_code(prefix) for each in self.fields}
        )


@dataclass
class Models:
    """The models of one module, nested ones before their parents, and what could not be typed."""

    names: Names = field(default_factory=lambda: Names(_IMPORTED))
    models: list[Model] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def reserve(self, *texts: str) -> str:
        """Return a name for a model that is not nested."""
        return self.names.take(class_name(*texts), separator="")

    def add(self, name: str, schema: Schema, *, place: str, description: str) -> Model:
        """Make the model of an object schema, and before it those of the objects in it."""
        properties: Mapping[str, Any] = schema["properties"]
        shapes = {
            key: self.shape(each, name=(name, key), place=f"{place}.{key}")
            for key, each in properties.items()
        }
        names = distinct(properties, self._field_name)
        required = schema.get("required", ())
        fields = [
            _field(key, names[key], shapes[key], schema=each, is_required=key in required)
            for key, each in properties.items()
        ]
        model = Model(name, schema.get("description") or description, tuple(fields))
        self.models.append(model)
        return model

    def _field_name(self, key: str) -> str:
        name = variable(key.lstrip("_"), avoid=_NO_FIELD, otherwise="field")
        return f"{name}_" if name in self.names else name

    def shape(self, schema: Any, *, name: tuple[str, str], place: str) -> Shape:
        """Return the type of a schema; `name` is what a nested model is called."""
        known = schema if isinstance(schema, Mapping) else {}
        kind = known.get("type", "object" if known.get("properties") else None)
        if any(word in known for word in ("$ref", "oneOf", "anyOf", "allOf")):
            return self._any(place, "it combines or refers to schemas")
        if kind == "string":
            return Shape("str", next(iter(_allowed(known)), ""))
        if kind == "array":
            items = known.get("items")
            if items is None:
                return Shape("list[Any]", [])
            inner = self.shape(items, name=name, place=f"{place}[]")
            return Shape(f"list[{inner.annotation}]", [])
        if kind == "object":
            return self._object(known, name=name, place=place)
        if isinstance(kind, str) and kind in _PLAIN:
            return Shape(*_PLAIN[kind])
        return self._any(place, f"type {kind!r} has no Python type of its own")

    def _object(self, schema: Schema, *, name: tuple[str, str], place: str) -> Shape:
        if schema.get("properties"):
            parent, key = name
            text = f"The part {key} of {parent}."
            model = self.add(self.reserve(*name), schema, place=place, description=text)
            return Shape(model.name, model.stub, model)
        others = schema.get("additionalProperties")
        if others is True:
            return Shape("dict[str, Any]", {})
        if isinstance(others, Mapping) and others:
            inner = self.shape(others, name=name, place=f"{place}.*")
            return Shape(f"dict[str, {inner.annotation}]", {})
        return self._any(place, "the object does not say what it holds")

    def _any(self, place: str, why: str) -> Shape:
        self.warnings.append(f"{place}: Any, because {why}.")
        return Shape("Any", None)


def _field(key: str, name: str, shape: Shape, *, schema: Any, is_required: bool) -> Field:
    known = schema if isinstance(schema, Mapping) else {}
    allowed = tuple(_allowed(known)) if shape.annotation == "str" else ()
    return Field(key, name, shape, is_required, known.get("description") or "", allowed)


def is_model(schema: Schema | None) -> bool:
    """Say whether a schema of a whole result or input becomes a model."""
    if not schema or not schema.get("properties"):
        return False
    return bool(schema.get("type", "object") == "object")


def _allowed(schema: Schema) -> list[str]:
    return [each for each in schema.get("enum", ()) if isinstance(each, str)]
