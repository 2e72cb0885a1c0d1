"""Compares what a template gives a handler as `initialization` with what the handler asks for."""

from typing import Any

from workers.registry.definition import HandlerDefinition
from workers.results.schema_check import checker


def initialization_problem(handler: Any, definition: HandlerDefinition) -> str | None:
    """Say why `initialization` does not match the handler's `config_schema`, None when it does."""
    config_schema = getattr(handler, "config_schema", None)
    if not callable(config_schema):
        return None
    try:
        schema = config_schema()
        why = checker(schema)(dict(definition.initialization)) if schema is not None else None
    except Exception as error:  # noqa: BLE001 - foreign code, or a schema that is none
        why = f"config_schema cannot be used: {type(error).__name__}: {error}"
    return why and f"The initialization of {definition.callable} does not fit its handler: {why}"
