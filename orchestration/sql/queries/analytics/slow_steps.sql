-- The slowest steps of templates in a period. Caller: queries/analytics.py slow_steps.
SELECT
  s.namespace_name,
  s.task_name,
  s.version,
  s.step_name,
  s.average_duration_seconds,
  s.max_duration_seconds,
  s.execution_count,
  s.error_count,
  s.error_rate,
  s.last_executed_at
FROM get_slowest_steps_aggregated(
  since => tasker_now() - make_interval(hours => %(hours)s),
  p_limit => %(limit)s,
  p_min_executions => %(min_executions)s,
  p_namespaces => %(namespaces)s::text[]
) AS s
