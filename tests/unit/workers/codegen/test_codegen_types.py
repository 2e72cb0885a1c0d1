"""`models.py`: the type of each schema, the names of models and fields, imports, first line."""

import sys
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from templates_registry.schema import TaskTemplate, load_text
from tests.factories.codegen import BATCHES, HOSTILE
from workers.codegen.shapes import Models
from workers.codegen.types import GENERATED, models_text, template_models

ORDER = """
name: process_order
namespace_name: shop_py
version: 1.0.0
input_schema:
  type: object
  properties: {items: {type: array, items: {type: object, properties: {sku: {type: string}}}}}
  required: [items]
steps:
  - name: validate
    handler: {callable: shop.validate}
    result_schema:
      type: object
      description: What was found
      properties:
        total: {type: number, description: Sum of all lines}
        state: {type: string, enum: [open, closed]}
        class: {type: string}
      required: [total]
  - {name: ship, handler: {callable: shop.ship}, dependencies: [validate]}
"""


def text_of(template: TaskTemplate, **options: Any) -> str:
    return models_text(template, template_models(template, **options).all.models)


def loaded(text: str) -> ModuleType:
    module = ModuleType("generated_models")
    sys.modules[module.__name__] = module
    exec(compile(text, "models.py", "exec"), vars(module))  # noqa: S102 - what was generated
    return module


def test_models_of_a_template():
    assert text_of(load_text(ORDER)) == (
        f'''{GENERATED}
"""Inputs and results of shop_py/process_order."""

from pydantic import BaseModel, ConfigDict, Field


class ProcessOrderInputItems(BaseModel):
    """The part items of ProcessOrderInput."""

    sku: str | None = None


class ProcessOrderInput(BaseModel):
    """What a task process_order is given."""

    items: list[ProcessOrderInputItems]


class ShopValidateResult(BaseModel):
    """What was found."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    # Sum of all lines
    total: float
    # Allowed values: open, closed
    state: str | None = None
    class_: str | None = Field(default=None, alias="class")
'''
    )


def test_one_step_alone():
    text = text_of(load_text(ORDER), step="validate")

    assert "class ShopValidateResult(BaseModel):" in text
    assert "Input" not in text.replace("Inputs and results", "")


def test_without_schemas_there_is_nothing_to_import():
    template = load_text(ORDER)

    assert models_text(template, []).count("\n") == 2


@pytest.mark.parametrize(
    ("schema", "annotation", "stub"),
    [
        ({"type": "string"}, "str", ""),
        ({"type": "string", "enum": ["b", "a"]}, "str", "b"),
        ({"type": "integer"}, "int", 0),
        ({"type": "number"}, "float", 0.0),
        ({"type": "boolean"}, "bool", False),
        ({"type": "array"}, "list[Any]", []),
        (
            {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
            "list[list[int]]",
            [],
        ),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "dict[str, int]", {}),
        ({"type": "object", "additionalProperties": True}, "dict[str, Any]", {}),
        ({"type": "object", "properties": {"b": {"type": "integer"}}}, "ParentA", {"b": 0}),
        ({"properties": {"b": {"type": "integer"}}}, "ParentA", {"b": 0}),
    ],
)
def test_the_type_of_a_schema(schema, annotation, stub):
    models = Models()

    shape = models.shape(schema, name=("Parent", "a"), place="here")

    assert (shape.annotation, shape.stub) == (annotation, stub)
    assert models.warnings == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "additionalProperties": False},
        {"type": "null"},
        {"type": ["string", "null"]},
        {"$ref": "#/x"},
        {"type": "string", "anyOf": [{}]},
        {"oneOf": [{}]},
        {"allOf": [{}]},
        {},
        True,
    ],
)
def test_what_has_no_type_of_its_own_is_any_with_a_warning(schema):
    models = Models()

    shape = models.shape(schema, name=("Parent", "a"), place="s.result_schema.a")

    assert (shape.annotation, shape.stub) == ("Any", None)
    [warning] = models.warnings
    assert warning.startswith("s.result_schema.a: Any, because ")


def test_a_schema_of_something_else_than_an_object_gives_no_model():
    text = ORDER.replace(
        "callable: shop.ship}", "callable: shop.ship}, result_schema: {type: array}"
    )

    found = template_models(load_text(text))

    assert list(found.results) == ["validate"]
    [warning] = found.all.warnings
    assert warning.startswith("ship.result_schema: no model")


def test_clashing_models_are_numbered_and_nested_ones_give_way():
    schema = (
        "{type: object, properties: {x_result: {type: object, properties: {a: {type: string}}}}}"
    )
    steps = [
        f"  - {{name: {name}, handler: {{callable: x.y}}, result_schema: {schema}}}"
        for name in ("a", "a_result_x", "A")
    ]
    text = "name: t\nnamespace: n\nversion: 1.0.0\nsteps:\n" + "\n".join(steps)

    found = template_models(load_text(text), with_namespace=False)

    assert [each.name for each in found.all.models] == [
        "AResultXResult2",
        "AResult",
        "AResultXResultXResult",
        "AResultXResult",
        "AResult2XResult",
        "AResult2",
    ]


def test_hostile_fields_are_filled_by_their_names_in_json():
    template = load_text(HOSTILE)
    module = loaded(text_of(template, with_namespace=False))
    model: type[BaseModel] = module.WildFlowInput
    found = template_models(template, with_namespace=False)
    assert found.input is not None
    given = found.input.stub

    assert model.model_validate(given).model_dump(mode="json") == given
    assert list(model.model_fields) == [each.name for each in found.input.fields]
    assert {"class_", "model_config_", "json_", "str_", "id_2", "id"} <= set(model.model_fields)
    with pytest.raises(ValidationError):
        model.model_validate({})


@pytest.mark.parametrize("text", [ORDER, HOSTILE, BATCHES])
def test_the_same_template_gives_the_same_text(text):
    assert text_of(load_text(text)) == text_of(load_text(text))
