"""Whether a JSON Schema inside a template can be used: shape, references, no endless loop.

Draft 2020-12. Only references inside the schema itself are allowed, each with a target, and no
chain of references may come back to its start without stepping into a value: a validator would
never return. Nothing is ever fetched, since every registry handed out here is empty.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, SchemaRegistry, SchemaResource

from templates_registry.dag import find_cycle

_METASCHEMA = Draft202012Validator(
    Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER
)
_REFERENCES = ("$ref", "$dynamicRef")
# Keywords whose subschemas look at the same value again, so that a cycle through them never ends.
_SAME_VALUE_LISTS = ("allOf", "anyOf", "oneOf")
_SAME_VALUE = ("not", "if", "then", "else")
_SAME_VALUE_MAPS = ("dependentSchemas",)

Resolver = Any  # referencing's resolvers are generic over a private type


def validator_of(schema: dict[str, Any]) -> Draft202012Validator:
    """Return a validator that can fetch nothing."""
    return Draft202012Validator(schema, registry=Registry())


def schema_problem(schema: dict[str, Any]) -> str | None:
    """Return why a JSON Schema cannot be used, or None."""
    try:
        return _problem_of(json.dumps(schema, sort_keys=True, allow_nan=False))
    except (TypeError, ValueError) as error:
        return f"This is no JSON: {error}."
    except RecursionError:
        return "It is nested too deeply to be checked."


@lru_cache(maxsize=4096)
def _problem_of(text: str) -> str | None:
    """Return the problem of a schema, asked by its text: equal ones are checked once."""
    schema = json.loads(text)
    error = best_match(_METASCHEMA.iter_errors(schema))
    if error is not None:
        return f"{error.json_path}: {error.message}"[:500]
    return _reference_problem(schema)


def _reference_problem(schema: dict[str, Any]) -> str | None:
    """Return the first reference without target, or the first cycle that consumes nothing."""
    if "$ref" not in (text := json.dumps(schema)) and "$dynamicRef" not in text:
        return None
    resource: SchemaResource = DRAFT202012.create_resource(schema)
    registry: SchemaRegistry = Registry()
    steps: dict[str, list[str]] = {}
    try:
        waiting = [(resource, registry.resolver_with_root(resource))]
        while waiting:
            waiting += _follow(*waiting.pop(), steps)
    except Unresolvable as error:
        return f"The reference {error.ref!r} has no target in this schema."
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        return f"A reference cannot be followed: {error}."
    if find_cycle(steps):
        return "References lead back to themselves without stepping into a value."
    return None


def _follow(
    resource: SchemaResource, resolver: Resolver, steps: dict[str, list[str]]
) -> list[tuple[SchemaResource, Resolver]]:
    """Note which schemas look at the same value as this one; return those still to visit."""
    schema = resource.contents
    if str(id(schema)) in steps or not isinstance(schema, dict):
        return []
    next_ones = [(each, resolver.in_subresource(each)) for each in resource.subresources()]
    same_value = list(_same_value_schemas(schema))
    for keyword in _REFERENCES:
        if isinstance(reference := schema.get(keyword), str):
            found = resolver.lookup(reference)
            if not isinstance(found.contents, dict | bool):
                raise Unresolvable(ref=reference)
            same_value.append(found.contents)
            next_ones.append((DRAFT202012.create_resource(found.contents), found.resolver))
    steps[str(id(schema))] = [str(id(each)) for each in same_value if isinstance(each, dict)]
    return next_ones


def _same_value_schemas(schema: dict[str, Any]) -> Iterator[Any]:
    """Yield the subschemas that apply to the very value this schema applies to."""
    for keyword in _SAME_VALUE:
        yield schema.get(keyword)
    for keyword in _SAME_VALUE_LISTS:
        yield from schema.get(keyword, ())
    for keyword in _SAME_VALUE_MAPS:
        yield from schema.get(keyword, {}).values()
