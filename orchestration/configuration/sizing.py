"""How many connections a deployment needs (api-and-operations 8.4)."""

from typing import Any

from templates_registry.conf import Range, read, tables

OUTSIDE_THE_POOLS = 5
"""Single loops, heartbeat and listener of an orchestrator or a worker."""


def connections_needed(*, web: int, orchestrators: int, workers: int) -> int:
    """Return the most connections that so many processes with these settings open."""
    values = {key: found.value for source in tables() for key, found in read(source).items()}
    pools = sum(_most(values[name]) for name in ("pool_results", "pool_requests", "pool_discovery"))
    return (
        web * _most(values["db_pool_size"])
        + orchestrators * (pools + OUTSIDE_THE_POOLS)
        + workers * (_most(values["max_concurrent_handlers"]) + OUTSIDE_THE_POOLS)
    )


def _most(value: Any) -> int:
    return value.maximum if isinstance(value, Range) else int(value)
