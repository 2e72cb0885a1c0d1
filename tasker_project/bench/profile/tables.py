"""Rows written into every table, and the share of updates that touched no index (HOT).

Sessions tell their counts a second late, up to ten when they have nothing to do, and the rest at
their end: of a short look at a busy engine, these figures are less exact than those of statements.
"""

from collections.abc import Mapping

from tasker_project.bench.database import rows
from tasker_project.bench.listing import Listing
from tasker_project.bench.profile.counters import per_step

COLUMNS = ("table", "inserted", "updated", "deleted", "HOT %", "read by scans", "read by index")
READ = """
SELECT /* bench profile */
  CASE WHEN schemaname = 'public' THEN '' ELSE schemaname || '.' END || relname,
  n_tup_ins::float8, n_tup_upd::float8, n_tup_del::float8, n_tup_hot_upd::float8,
  seq_tup_read::float8, coalesce(idx_tup_fetch, 0)::float8
FROM pg_stat_user_tables
"""
Counted = Mapping[str, tuple[float, ...]]
"""Inserted, updated, deleted, updated as HOT, read by scans, read by an index."""


def read() -> dict[str, tuple[float, ...]]:
    """Return the counters of every table."""
    return {name: tuple(counts) for name, *counts in rows(READ)}


def figures(counted: Counted, steps: int) -> dict[str, float]:
    """Return what a step writes, over all tables."""
    written = sum(sum(counts[:3]) for counts in counted.values())
    updated = sum(counts[1] for counts in counted.values())
    hot = sum(counts[3] for counts in counted.values())
    return {
        "rows_written_per_step": written / steps,
        "hot_update_percent": hot / updated * 100 if updated else 0.0,
    }


def listing(title: str, counted: Counted, steps: int) -> Listing:
    """Return the tables, those that are written most first, everything per step."""
    most = sorted(counted.items(), key=lambda item: sum(item[1][:3]), reverse=True)
    found = [_row(name, counts, steps) for name, counts in most]
    return Listing(f"{title}: rows of tables, per step", COLUMNS, found)


def _row(name: str, counts: tuple[float, ...], steps: int) -> tuple[str | float, ...]:
    inserted, updated, deleted, hot, scanned, fetched = counts
    share = round(hot / updated * 100, 1) if updated else "-"
    written = per_step((inserted, updated, deleted), steps)
    return (name, *written, share, *per_step((scanned, fetched), steps))
