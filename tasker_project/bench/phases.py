"""Where the time of a step goes, read from the history of the tasks that `e2e` measured.

claim: on the queue until a worker holds it; run: until the worker's report is stored; settle: until
the orchestrator has made it complete. What is left of a task's latency is creation and the end.
"""

from tasker_project.bench.database import rows
from tasker_project.bench.percentiles import Figures, summarise

PHASES = {"start": "claim", "enqueue_for_orchestration": "run", "complete": "settle"}
WAITS = """
SELECT w.event, w.waited_ms
FROM (
  SELECT
    h.event,
    extract(epoch FROM h.created_at - lag(h.created_at) OVER steps)::float8 * 1000 AS waited_ms
  FROM tasker_workflow_step_transitions AS h
  JOIN tasker_workflow_steps AS s USING (workflow_step_uuid)
  JOIN tasker_tasks AS t USING (task_uuid)
  JOIN tasker_named_tasks AS n USING (named_task_uuid)
  WHERE n.name = %(shape)s
  WINDOW steps AS (PARTITION BY h.workflow_step_uuid ORDER BY h.sort_key)
) AS w
WHERE w.event = %(event)s
"""


def phases(shape: str) -> Figures:
    """Return the figures of each phase of the steps of one shape."""
    figures: Figures = {}
    for event, phase in PHASES.items():
        waited = [float(ms) for _, ms in rows(WAITS, shape=shape, event=event)]
        figures |= summarise(f"phase_{shape}.{phase}", waited)
    return figures
