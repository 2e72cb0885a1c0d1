-- The queues of the engine and of all namespaces, each counted up to a limit. Caller:
-- queries/gauges.py.
SELECT
  q.name AS queue,
  q.namespace,
  m.depth,
  m.visible,
  m.archived,
  coalesce(m.oldest_age_seconds, 0) AS oldest_age_seconds
FROM (
  SELECT e.name, '' AS namespace FROM unnest(%(orchestration)s::text[]) AS e (name)
  UNION ALL
  SELECT 'worker_' || n.name || '_queue', n.name FROM tasker_task_namespaces AS n
) AS q
CROSS JOIN LATERAL tasker_measure_queue(q.name, %(limit)s::int) AS m
