"""When a failed step runs again: delays in seconds (engine.md 8.2). Pure.

A delay that the handler or a server asked for goes before the step's policy; it is not spread and
has a cap of its own.
"""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from orchestration.conf import EngineSettings

# Far above every cap; it only keeps integers of any length within what a float can hold.
LONGEST_WISH_SECONDS = 10**9


class Policy(NamedTuple):
    """A step's own retry policy; None = the engine's default."""

    strategy: str | None
    base_ms: int | None
    max_ms: int | None


def delay_seconds(
    attempt: int,
    policy: Policy,
    *,
    requested: float | None,
    settings: EngineSettings,
    spread: Callable[[float, float], float] = random.uniform,
) -> float:
    """Return the pause after failed attempt `attempt` (1 = the first), to the millisecond."""
    if requested is not None:
        return round(min(max(requested, 0.0), settings.max_requested_backoff_seconds), 3)
    cap = float(settings.max_backoff_seconds)
    if policy.max_ms is not None:
        cap = min(cap, policy.max_ms / 1000)
    base_ms = settings.default_backoff_base_ms if policy.base_ms is None else policy.base_ms
    strategy = policy.strategy or settings.default_backoff_strategy
    delay = min(base_ms / 1000 * _growth(strategy, attempt, settings.backoff_multiplier, cap), cap)
    ratio = settings.backoff_jitter_ratio
    return round(min(max(delay * spread(1 - ratio, 1 + ratio), 0.0), cap), 3)


def _growth(strategy: str, attempt: int, multiplier: float, cap: float) -> float:
    """Return the factor of the base; large attempts are cut off before they overflow."""
    if strategy == "none":
        return 0
    if strategy == "linear":
        return attempt
    if strategy == "fibonacci":
        return _fibonacci(attempt)
    try:
        return float(multiplier ** (attempt - 1))
    except OverflowError:
        return cap * 1000


def _fibonacci(n: int) -> int:
    before, value = 0, 1
    for _ in range(n - 1):
        before, value = value, before + value
    return value


def requested_delay(metadata: Mapping[str, Any] | None, *, now: datetime) -> float | None:
    """Return the delay that a failure asks for, from its `orchestration_metadata`.

    `backoff_hint.delay_seconds` goes before the header `retry-after` (any case): seconds, or an
    HTTP date in the future. What cannot be read is ignored; a negative hint counts as 0.
    """
    if not isinstance(metadata, Mapping):
        return None
    hint = metadata.get("backoff_hint")
    if isinstance(hint, Mapping):
        seconds = hint.get("delay_seconds")
        if isinstance(seconds, int | float) and not isinstance(seconds, bool):
            return float(min(max(seconds, 0), LONGEST_WISH_SECONDS))
    headers = metadata.get("headers")
    if not isinstance(headers, Mapping):
        return None
    values = [value for key, value in headers.items() if str(key).lower() == "retry-after"]
    return _from_header(str(values[0]).strip(), now=now) if values else None


def _from_header(text: str, *, now: datetime) -> float | None:
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    seconds = (when - now).total_seconds()
    return seconds if seconds > 0 else None
