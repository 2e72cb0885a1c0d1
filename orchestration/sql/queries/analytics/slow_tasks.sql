-- The slowest templates in a period. Caller: queries/analytics.py slow_tasks.
SELECT
  t.namespace_name,
  t.task_name,
  t.version,
  t.average_duration_seconds,
  t.max_duration_seconds,
  t.execution_count,
  t.average_step_count,
  t.error_count,
  t.error_rate,
  t.last_executed_at
FROM get_slowest_tasks_aggregated(
  since => tasker_now() - make_interval(hours => %(hours)s),
  p_limit => %(limit)s,
  p_min_executions => %(min_executions)s,
  p_namespaces => %(namespaces)s::text[]
) AS t
