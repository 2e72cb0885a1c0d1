-- Unfinished tasks with their way to the nearest limit, the furthest first.
-- Caller: queries/staleness.py monitored_tasks.
SELECT
  task_uuid,
  namespace,
  name,
  state,
  minutes_in_state,
  threshold_minutes,
  CASE WHEN share >= 1 THEN 'stale' WHEN share >= 0.8 THEN 'warning' ELSE 'healthy' END AS health
FROM tasker_measure_staleness(
  NULL, 0, %(deps)s::int, %(retry)s::int, %(in_process)s::int, %(lifetime_hours)s::int
)
WHERE %(namespaces)s::text[] IS NULL OR namespace = ANY(%(namespaces)s::text[])
ORDER BY share DESC, task_uuid
LIMIT %(limit)s
