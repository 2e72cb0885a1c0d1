"""Function by function (track_functions), where no server tells statements apart."""

from collections.abc import Mapping

from tasker_project.bench.database import rows
from tasker_project.bench.listing import Listing
from tasker_project.bench.profile.counters import per_step

MOST_LISTED = 25
COLUMNS = ("function", "calls", "ms", "own ms")
READ = """
SELECT /* bench profile */
  funcname, sum(calls)::float8, sum(total_time)::float8, sum(self_time)::float8
FROM pg_stat_user_functions
GROUP BY funcname
"""


def read() -> dict[str, tuple[float, ...]]:
    """Return the counters of every function in SQL or PL/pgSQL that was not inlined."""
    return {name: tuple(counts) for name, *counts in rows(READ)}


def listing(title: str, counted: Mapping[str, tuple[float, ...]], steps: int) -> Listing:
    """Return the functions whose own statements take most time, everything per step."""
    slowest = sorted(counted.items(), key=lambda item: item[1][2], reverse=True)[:MOST_LISTED]
    found: list[tuple[str | float, ...]] = [
        (name, *per_step(counts, steps)) for name, counts in slowest
    ]
    return Listing(f"{title}: functions, per step", COLUMNS, found)
