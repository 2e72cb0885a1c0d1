-- What a period was like. Caller: queries/analytics.py performance.
SELECT
  m.active_tasks_count,
  m.total_namespaces_count,
  m.unique_task_types_count,
  m.system_health_score,
  m.task_throughput,
  m.completion_count,
  m.error_count,
  m.completion_rate,
  m.error_rate,
  m.avg_task_duration,
  m.avg_step_duration,
  m.step_throughput,
  m.analysis_period_start,
  m.calculated_at
FROM get_analytics_metrics(
  tasker_now() - make_interval(hours => %(hours)s), %(namespaces)s::text[]
) AS m
