"""Checks a JSON value against a schema of a template."""

from collections.abc import Callable
from typing import Any

from templates_registry.schema import validator_of


def checker(schema: dict[str, Any]) -> Callable[[Any], str | None]:
    """Return a function that tells why a value does not match the schema, None when it does."""
    validator = validator_of(schema)

    def check(value: Any) -> str | None:
        error = next(iter(validator.iter_errors(value)), None)
        return None if error is None else f"{error.json_path}: {error.message}"

    return check
