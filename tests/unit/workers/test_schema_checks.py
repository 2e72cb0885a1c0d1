"""Models of handlers against the schemas of templates: differences, system check, command."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Optional

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from pydantic import BaseModel, ConfigDict, Field

from workers import HandlerRegistry, StepContext, StepHandler, depends_on, inputs, step_handler
from workers.checks import check_callables, check_schemas
from workers.checks.comparison import Kind, Names, compare
from workers.checks.schemas import find_differences


class Address(BaseModel):
    city: str
    parts: list["Address"] = []


class Order(BaseModel):
    sku: str
    count: int
    note: str | None = None
    address: Address


ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "sku": {"type": "string"},
        "count": {"type": "integer"},
        "note": {"type": "string"},
        "address": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "parts": {"type": "array"}},
            "required": ["city"],
        },
    },
    "required": ["sku", "count", "address"],
}


def class_of(function: Any) -> Any:
    return function._handler_class


def changed(**properties: Any) -> dict[str, Any]:
    """Return the schema with other properties; None removes one."""
    merged = {**ORDER["properties"], **properties}
    kept = {key: each for key, each in merged.items() if each is not None}
    return {**ORDER, "properties": kept}


def differences(
    schema: dict[str, Any], model: type[BaseModel] = Order, *, gives: bool = True
) -> list[tuple[Kind, str, bool]]:
    names = Names("result_schema", model.__name__)
    found = compare(schema, model.model_json_schema(), names=names, model_gives=gives)
    return [(each.kind, each.text, each.is_harmless) for each in found]


@pytest.mark.parametrize("gives", [True, False])
def test_a_model_that_fits_has_no_differences(gives):
    assert differences(ORDER, gives=gives) == []


def test_a_missing_field_hurts_whoever_promised_it():
    schema = changed(extra={"type": "string"})
    text = "result_schema has 'extra', which Order has not."

    assert differences(schema) == [(Kind.MISSING, text, False)]
    assert differences(schema, gives=False) == [(Kind.MISSING, text, True)]


@pytest.mark.parametrize("gives", [True, False])
def test_an_extra_field(gives):
    text = "Order has 'note', which result_schema has not."

    assert differences(changed(note=None), gives=gives) == [(Kind.EXTRA, text, False)]
    assert differences({**changed(note=None), "additionalProperties": True}, gives=gives) == []


@pytest.mark.parametrize(
    ("given", "schema", "taken"),
    [
        (True, {"type": "number"}, True),
        (False, {"type": "number"}, False),
        (True, {"type": "string"}, False),
        (True, {"type": ["integer", "string"]}, True),
        (False, {"type": ["integer", "string"]}, False),
        (False, {"enum": [1, 2]}, True),
        (False, {"const": "x"}, False),
        (True, {"anyOf": [{"type": "integer"}, {"type": "null"}]}, True),
        (False, {"anyOf": [{"type": "integer"}, {"type": "null"}]}, False),
        (True, {}, True),
        (True, {"$ref": "#/$defs/absent"}, True),
    ],
)
def test_an_integer_fits_a_number_and_not_the_other_way_round(given, schema, taken):
    found = differences(changed(count=schema), gives=given)

    assert [kind for kind, *_ in found] == ([] if taken else [Kind.TYPE])


def test_a_type_mismatch_is_told_in_words():
    assert differences(changed(note={"type": "boolean"})) == [
        (Kind.TYPE, "'note' is boolean in result_schema, null or string in Order.", False)
    ]


ALL = ["sku", "count", "address", "note"]
MORE = "'note' is required by result_schema, but not by Order."
LESS = "'sku' is required by Order, but not by result_schema."


@pytest.mark.parametrize(
    ("required", "gives", "text", "is_harmless"),
    [
        (ALL, True, MORE, False),
        (ALL, False, MORE, True),
        (["count", "address"], True, LESS, True),
        (["count", "address"], False, LESS, False),
    ],
)
def test_who_requires_a_field(required, gives, text, is_harmless):
    found = differences({**ORDER, "required": required}, gives=gives)

    assert found == [(Kind.REQUIRED, text, is_harmless)]


def test_objects_lists_and_maps_are_compared_inside():
    class Inner(BaseModel):
        city: int

    class Outer(BaseModel):
        one: Inner
        many: list[Inner]
        named: dict[str, Inner]
        maybe: Inner | None = None

    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    schema = {
        "properties": {
            "one": city,
            "many": {"type": "array", "items": city},
            "named": {"type": "object", "additionalProperties": city},
            "maybe": city,
        },
        "required": ["one", "many", "named"],
    }

    places = [text.partition(" is ")[0] for _, text, _ in differences(schema, Outer)]

    assert places == ["'one.city'", "'many[].city'", "'named.*.city'", "'maybe.city'"]


def test_a_model_that_contains_itself_is_compared_once():
    looped = {
        "$ref": "#/$defs/address",
        "$defs": {
            "address": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "parts": {"type": "array", "items": {"$ref": "#/$defs/address"}},
                },
                "required": ["city"],
            }
        },
    }

    assert differences(looped, Address) == []


def test_braces_in_a_name_are_text():
    found = differences(changed(**{"{x}": {"type": "string"}}))

    assert found[0][1] == "result_schema has '{x}', which Order has not."


# ---------------------------------------------------------------- handlers and templates

TEMPLATE = """
name: buy
namespace_name: shop
version: 1.0.0
input_schema:
  type: object
  properties: {orderId: {type: integer}}
  required: [orderId]
steps:
  - name: check
    handler: {callable: shop.check}
    result_schema: {type: object, properties: {ok: {type: boolean}}, required: [ok]}
  - {name: ship, handler: {callable: shop.Ship, method: ship}, dependencies: [check], result_schema: {type: object, properties: {parcel: {type: string}}, required: [parcel]}}
  - {name: gone, handler: {callable: shop.absent}}
"""  # noqa: E501


class Given(BaseModel):
    order_id: str = Field(alias="orderId")


class Checked(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    ok: int


class Parcel(BaseModel):
    parcel: int


@step_handler("shop.check")
@inputs(Given)
def check(inputs: Given) -> Checked | None:
    return None


class Ship(StepHandler):
    handler_name = "shop.Ship"

    def call(self, context: StepContext) -> dict[str, Any]:
        return {}

    def ship(self, context: StepContext) -> Optional[Parcel]:  # noqa: UP045
        return None


@step_handler("shop.check")
@depends_on(checked=("ship", Checked))
def unknown_annotation(checked) -> "Nowhere":  # type: ignore[name-defined]  # noqa: F821
    return None


@dataclass
class NotAModel:
    ok: int


@pytest.fixture
def registry(monkeypatch, settings, tmp_path: Path):
    """Return a registry of its own, and the template above as the only one."""
    (tmp_path / "buy.yaml").write_text(TEMPLATE)
    (tmp_path / "bad.yaml").write_text("name: bad\nsteps: 1\n")
    settings.TASKER = {"template_paths": [str(tmp_path)], "load_examples": False}
    found = HandlerRegistry()
    monkeypatch.setattr(HandlerRegistry, "instance", classmethod(lambda cls: found))
    found.register("shop.check", class_of(check))
    found.register("shop.Ship", Ship)
    return found


def test_inputs_results_and_methods_are_checked(registry):
    assert [(each.id, each.msg) for each in check_schemas()] == [
        (
            "workers.W113",
            "shop/buy@1.0.0, step 'check': 'orderId' is integer in input_schema, string in Given.",
        ),
        (
            "workers.W113",
            "shop/buy@1.0.0, step 'check': 'ok' is boolean in result_schema, integer in Checked.",
        ),
        (
            "workers.W113",
            "shop/buy@1.0.0, step 'ship': 'parcel' is string in result_schema, integer in Parcel.",
        ),
    ]


def test_results_of_earlier_steps_are_checked(registry):
    registry.register("shop.check", class_of(unknown_annotation))

    found = [str(each) for each in find_differences()]

    assert (
        "shop/buy@1.0.0, step 'check': Checked has 'ok', which result_schema of 'ship' has not."
        in found
    )
    assert (
        "shop/buy@1.0.0, step 'check': result_schema of 'ship' has 'parcel', which Checked has not."
        in found
    )


@pytest.mark.parametrize("annotation", [None, dict, int | str, NotAModel, "Nowhere"])
def test_other_annotations_say_nothing(registry, annotation):
    @step_handler("shop.check")
    def other():
        return None

    other.__annotations__["return"] = annotation
    registry.register("shop.check", class_of(other))

    assert not [each for each in find_differences() if "'check'" in str(each)]


def test_a_field_may_be_filled_by_its_name(registry):
    class ByName(BaseModel):
        orderId: int = Field(alias="elsewhere")  # noqa: N815

    @step_handler("shop.check")
    @inputs(ByName)
    def by_name(inputs):
        return None

    registry.register("shop.check", class_of(by_name))

    assert not [each for each in find_differences() if "'check'" in str(each)]


def test_a_model_without_a_json_schema_is_left_alone(registry):
    class Odd(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        thing: Ship

    @step_handler("shop.check")
    def odd() -> Odd | None:
        return None

    odd.__annotations__["return"] = Odd
    registry.register("shop.check", class_of(odd))

    assert not [each for each in find_differences() if "'check'" in str(each)]


def test_an_app_is_checked_by_itself(registry):
    assert find_differences([apps.get_app_config("workers")]) == []


def test_handlers_that_cannot_be_imported_are_no_matter_of_this_check(monkeypatch):
    def fail() -> None:
        raise ImportError("broken")

    monkeypatch.setattr(HandlerRegistry, "instance", fail)

    assert check_schemas() == []
    assert check_callables() == []


def test_a_callable_that_nobody_has_is_told(registry):
    (found,) = check_callables()

    assert found.id == "tasker.W005"
    assert found.msg.startswith("shop/buy@1.0.0, step 'gone': Handler not found: shop.absent")


def run(*args: str, **options: Any) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("check_schemas", *args, stdout=out, **options)
    except SystemExit as error:
        return int(str(error.code)), out.getvalue()
    return 0, out.getvalue()


def test_the_command_tells_what_does_not_fit_and_fails(registry):
    code, text = run()

    assert code == 1
    assert text.startswith("warning type mismatch: shop/buy@1.0.0, step 'check': 'orderId'")
    assert text.endswith("3 differences, 0 harmless ones\n")
    assert run("--app", "workers") == (0, "0 differences, 0 harmless ones\n")
    with pytest.raises(CommandError, match="No installed app"):
        run("--app", "absent")


def test_harmless_differences_are_told_on_request_only(registry, tmp_path):
    text = TEMPLATE.replace("required: [parcel]", "required: []")
    (tmp_path / "buy.yaml").write_text(text.replace("{type: string}", "{type: integer}"))

    assert "parcel" not in run()[1]
    assert "info required mismatch: shop/buy@1.0.0, step 'ship': 'parcel'" in run(verbosity=2)[1]


def test_the_shipped_examples_fit():
    assert check_schemas() == []
    assert check_callables() == []
