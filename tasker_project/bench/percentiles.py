"""From samples to the figures that are reported: n, mean, p50, p95, p99, max.

A percentile is the nearest rank: a value that was really measured, never one in between.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

Figures = dict[str, float]
"""Flat: `{"latency_linear4.p50_ms": 11.3}`. Keys are stable, `--compare` stands on them."""

PERCENTILES = (50, 95, 99)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile of sorted samples."""
    if not ordered:
        raise ValueError("There is no percentile of no samples")
    return ordered[max(ceil(percent / 100 * len(ordered)), 1) - 1]


def summarise(name: str, samples: Iterable[float], *, unit: str = "ms") -> Figures:
    """Return the figures of one measured thing, keyed `name.p50_ms`."""
    ordered = sorted(samples)
    mean = sum(ordered) / len(ordered) if ordered else 0.0
    values: dict[str, float] = {f"mean_{unit}": mean}
    values |= {f"p{percent}_{unit}": percentile(ordered, percent) for percent in PERCENTILES}
    values[f"max_{unit}"] = ordered[-1]
    return named(name, {"n": len(ordered), **values})


def named(name: str, values: Mapping[str, float]) -> Figures:
    """Return figures under the name of what was measured, rounded to what is worth reading."""
    return {f"{name}.{key}": round(value, 4) for key, value in values.items()}
