"""How much there is of what takes long to check: JSON Schemas, a third of a millisecond per part.

A file within its limits could still hold enough of them to keep a processor busy for minutes.
"""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

MAX_SCHEMA_VALUES = 100_000  # of all schemas of a template together; about ten seconds


def count_values(value: Any) -> int:
    """Return how many values a value consists of, itself included."""
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(count_values(each) for each in below)


def has_too_many_schemas(data: dict[str, Any]) -> bool:
    """Tell whether the schemas of a template in canonical spelling take too long to check.

    Events that inherit the schema of the catalogue count it each; so the count stops at the limit.
    """
    counts = accumulate(count_values(schema) for schema in _schemas(data))
    return any(count > MAX_SCHEMA_VALUES for count in counts)


def _schemas(data: dict[str, Any]) -> Iterator[Any]:
    yield data.get("input_schema")
    for event in mappings_of(data.get("domain_events")):
        yield event.get("schema")
    for step in mappings_of(data.get("steps")):
        yield step.get("result_schema")
        for event in mappings_of(step.get("publishes_events")):
            yield event.get("schema")


def mappings_of(entries: Any) -> list[dict[str, Any]]:
    """Return the mappings of what should be a list of mappings."""
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
