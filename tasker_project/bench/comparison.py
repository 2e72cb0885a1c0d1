"""Figures of today against stored ones: has something become slower or heavier?

Only what is steady enough is judged: medians, means of statements, rates, memory. Tails are shown
in the report, but one slow sample must not fail a build.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from tasker_project.bench.errors import BenchError
from tasker_project.bench.percentiles import Figures

MORE_IS_BETTER = frozenset({"tasks_per_second", "steps_per_second", "created_per_second"})
LESS_IS_BETTER = frozenset(
    {
        *("p50_ms", "rss_mb", "wal_bytes_per_step", "commits_per_step", "postgres_cpu_ms_per_step"),
        *("round_trips_per_step", "statements_per_step", "inner_statements_per_step"),
        "rows_written_per_step",
    }
)


def read(path: Path) -> Figures:
    """Return the figures that `--json` stored."""
    try:
        figures: Figures = json.loads(path.read_text())["figures"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{path} cannot be compared with: {error!r}") from error
    return figures


def regressions(
    figures: Mapping[str, float], earlier: Mapping[str, float], *, max_percent: float
) -> list[str]:
    """Return in one sentence each which figures are worse than before by more than allowed."""
    return list(_regressions(figures, earlier, max_percent))


def _regressions(
    figures: Mapping[str, float], earlier: Mapping[str, float], max_percent: float
) -> Iterator[str]:
    both = sorted(figures.keys() & earlier.keys())
    if earlier and not both:
        yield "None of the figures measured now is among those to compare with"
    for key in both:
        now, before = figures[key], earlier[key]
        worse = _worse_percent(key.rpartition(".")[2], now, before)
        if worse > max_percent:
            yield f"{key} is {now}, was {before}: {worse:.0f} % worse, {max_percent:g} allowed"


def _worse_percent(kind: str, now: float, before: float) -> float:
    """Return by how many percent a figure is worse; negative is better, 0 is not judged."""
    if before <= 0 or now <= 0:
        return 0.0
    if kind in LESS_IS_BETTER:
        return (now / before - 1) * 100
    if kind in MORE_IS_BETTER:
        return (before / now - 1) * 100
    return 0.0
