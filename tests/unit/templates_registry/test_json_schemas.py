"""JSON Schemas inside templates: only what can be checked, without fetching and without end."""

from typing import Any

import pytest
from jsonschema import ValidationError

from templates_registry.schema.json_schema import schema_problem, validator_of

TREE = {
    "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
    "$ref": "#/$defs/node",
}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
        TREE,
        {"$ref": "#/$defs/a", "$defs": {"a": {"$anchor": "x"}, "b": {"$ref": "#x"}}},
        {"$id": "https://example.test/a", "$defs": {"b": {"$id": "b"}}, "items": {"$ref": "b"}},
        {"definitions": {"a": True}, "properties": {"a": {"$ref": "#/definitions/a"}}},
        {"properties": {"$ref": {"type": "string"}}},
        {"enum": [{"$ref": "https://example.test/never-followed"}]},
        {"$dynamicAnchor": "node", "items": {"$dynamicRef": "#node"}},
        {"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}], "$defs": {"a": True}},
        {"properties": {"a": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}},
        nested(60),
    ],
)  # fmt: skip
def test_a_usable_schema_is_accepted(schema: dict[str, Any]) -> None:
    assert schema_problem(schema) is None


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "thing"}, "$.type"),
        ({"properties": {"a": {"minimum": "1"}}}, "$.properties.a.minimum"),
        ({"required": "a"}, "$.required"),
        ({"pattern": "("}, "$.pattern"),
        ({"$ref": "https://example.test/a.json"}, "has no target"),
        ({"$ref": "file:///etc/passwd"}, "has no target"),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, "has no target"),
        ({"$ref": "#/$defs/absent"}, "has no target"),
        ({"$ref": "#absent"}, "has no target"),
        ({"enum": ["x"], "$ref": "#/enum/0"}, "has no target"),
        ({"$dynamicRef": "#absent"}, "has no target"),
        ({"properties": {"a": {"items": {"$ref": "other.json"}}}}, "has no target"),
        ({"$ref": "#"}, "lead back"),
        ({"allOf": [{"$ref": "#"}]}, "lead back"),
        ({"not": {"$ref": "#"}}, "lead back"),
        ({"if": True, "then": {"$ref": "#"}}, "lead back"),
        ({"dependentSchemas": {"a": {"$ref": "#"}}}, "lead back"),
        (
            {
                "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}},
                "properties": {"x": {"$ref": "#/$defs/a"}},
            },
            "lead back",
        ),
        ({"$dynamicAnchor": "a", "allOf": [{"$dynamicRef": "#a"}]}, "lead back"),
        ({"default": {1, 2}}, "no JSON"),
        ({"$id": "http://[broken", "items": {"$ref": "b"}}, "cannot be followed"),
        ({"allOf": [{}], "$ref": "#/allOf/x"}, "cannot be followed"),
        (nested(800), "nested too deeply"),
    ],
)  # fmt: skip
def test_an_unusable_schema_is_told_why(schema: dict[str, Any], problem: str) -> None:
    assert problem in str(schema_problem(schema))


def test_a_validator_checks_recursive_values() -> None:
    validator = validator_of(TREE)

    validator.validate({"next": {"next": {}}})
    with pytest.raises(ValidationError):
        validator.validate({"next": {"next": 1}})
