"""What is looked at every few seconds of a long run: memory of the processes, dead rows, sizes.

Dead rows are those the server counts (`pg_stat_user_tables`); it learns of them up to a second
late. Sizes hold indexes and TOAST.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tasker_project.bench import usage
from tasker_project.bench.database import rows
from tasker_project.processes import ProcessGroup

QUEUES = "queues"
TABLES = """
SELECT
  CASE WHEN schemaname = 'pgmq' THEN 'queues' ELSE relname END,
  sum(n_dead_tup)::float8,
  sum(pg_total_relation_size(relid))::float8 / 1e6,
  sum(n_tup_upd)::float8,
  sum(n_tup_hot_upd)::float8,
  sum(autovacuum_count)::float8
FROM pg_stat_user_tables
WHERE (schemaname = 'pgmq' AND relname LIKE 'q\\_%%')
   OR relname IN (
     'tasker_tasks', 'tasker_workflow_steps', 'tasker_workflow_step_edges',
     'tasker_task_transitions', 'tasker_workflow_step_transitions',
     'tasker_workflow_step_result_audit'
   )
GROUP BY 1
"""


class Table(NamedTuple):
    """A hot table, or all queues together."""

    dead_rows: float
    size_mb: float
    updates: float
    hot_updates: float
    vacuums: float


class Look(NamedTuple):
    """One moment: resident MB by process, and the tables by name."""

    resident_mb: Mapping[str, float]
    tables: Mapping[str, Table]

    @property
    def queues(self) -> Table:
        """All queue tables together."""
        return self.tables[QUEUES]


def look(group: ProcessGroup) -> Look:
    """Look once."""
    resident = {child.name: usage.resident_mb(child.pid) for child in group.children}
    return Look(
        {name: mb for name, mb in resident.items() if mb is not None},
        {name: Table(*numbers) for name, *numbers in rows(TABLES)},
    )


def mean(numbers: Iterable[float]) -> float:
    """Return the mean, 0 of nothing."""
    found = list(numbers)
    return sum(found) / len(found) if found else 0.0
