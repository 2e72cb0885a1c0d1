"""A form for a task's context, made from the input schema of its template.

Flat properties become fields; what is an object, a list or has no type is a field of JSON, and a
schema that says nothing of properties makes one field for the whole context.
"""

import json
from collections.abc import Mapping
from typing import Any

from django import forms

from orchestration.admin.json_field import JsonField

WHOLE = "context"
PREFIX = "context_"
MOST_FIELDS = 60
DEEPEST = 5
EMPTY: Mapping[str, Any] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "array": [],
    "object": {},
}


def fields_of(schema: Mapping[str, Any] | None) -> dict[str, forms.Field]:
    """Return the fields, by names that cannot meet those of the rest of the form."""
    properties = schema.get("properties") if schema else None
    if not isinstance(properties, dict) or not 0 < len(properties) <= MOST_FIELDS:
        return {WHOLE: _json("context", required=False, said={})}
    required = set((schema or {}).get("required", ()))
    return {
        f"{PREFIX}{name}": _field(name, said if isinstance(said, dict) else {}, name in required)
        for name, said in properties.items()
    }


def _field(name: str, said: Mapping[str, Any], required: bool) -> forms.Field:
    common: dict[str, Any] = {
        "label": str(said.get("title") or name),
        "help_text": str(said.get("description") or ""),
        "required": required,
    }
    if "default" in said:
        common["initial"] = said["default"]
    if isinstance(said.get("enum"), list):
        return _choice(said["enum"], common)
    kind = said.get("type")
    if kind == "boolean":
        return forms.BooleanField(**{**common, "required": False})
    if kind == "integer":
        return forms.IntegerField(**common)
    if kind == "number":
        return forms.FloatField(**common)
    if kind == "string":
        return forms.CharField(**common, strip=False)
    return _json(name, required=required, said=said)


def _choice(values: list[Any], common: dict[str, Any]) -> forms.Field:
    """Return a choice among values of any kind, which travel as JSON."""
    if "initial" in common:
        common["initial"] = json.dumps(common["initial"])
    choices = [(json.dumps(value), str(value)) for value in values]
    return forms.TypedChoiceField(
        **common,
        choices=choices if common["required"] else [("", "—"), *choices],
        coerce=json.loads,
        empty_value=None,
    )


def _json(name: str, *, required: bool, said: Mapping[str, Any]) -> forms.Field:
    text = forms.Textarea(attrs={"rows": 8 if name == WHOLE else 3, "spellcheck": "false"})
    return JsonField(
        label=str(said.get("title") or name),
        help_text=str(said.get("description") or "JSON"),
        required=required,
        widget=text,
        initial=said.get("default", {} if name == WHOLE else skeleton(said)),
    )


def skeleton(said: Mapping[str, Any], depth: int = 0) -> Any:
    """Return the emptiest value that has the shape a schema asks for, to be filled in."""
    if "default" in said:
        return said["default"]
    if isinstance(said.get("enum"), list) and said["enum"]:
        return said["enum"][0]
    properties = said.get("properties")
    if isinstance(properties, dict) and depth < DEEPEST:
        return {
            name: skeleton(inner, depth + 1)
            for name, inner in properties.items()
            if isinstance(inner, dict)
        }
    items = said.get("items")
    if isinstance(items, dict) and said.get("type") == "array" and depth < DEEPEST:
        return [skeleton(items, depth + 1)]
    return EMPTY.get(str(said.get("type")))


def context_of(given: Mapping[str, Any], fields: Mapping[str, forms.Field]) -> Any:
    """Return the context that filled-in fields stand for; what was left empty is left out."""
    if WHOLE in fields:
        return given.get(WHOLE) or {}
    found = {name.removeprefix(PREFIX): given.get(name) for name in fields}
    return {
        name: value
        for name, value in found.items()
        if value is not None and (value != "" or fields[f"{PREFIX}{name}"].required)
    }


def initial_of(context: Mapping[str, Any], fields: Mapping[str, forms.Field]) -> dict[str, Any]:
    """Return what the fields show of a context that is to be used again."""
    if WHOLE in fields:
        return {WHOLE: context}
    return {
        f"{PREFIX}{name}": json.dumps(value)
        if isinstance(fields.get(f"{PREFIX}{name}"), forms.TypedChoiceField)
        else value
        for name, value in context.items()
    }
