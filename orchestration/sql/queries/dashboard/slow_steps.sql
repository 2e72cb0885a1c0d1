-- The slowest steps among the newest attempts of a period; the key of the audit is a clock, so the
-- newest ones cost the same whatever the table holds. Caller: queries/dashboard.py slow_steps.
SELECT
  n.name AS namespace,
  nt.name AS template,
  st.name AS step,
  count(*) AS attempts,
  avg(a.execution_time_ms)::float8 AS mean_ms,
  max(a.execution_time_ms)::float8 AS max_ms,
  count(*) FILTER (WHERE NOT a.success) AS failures
FROM (
  SELECT x.workflow_step_uuid, x.task_uuid, x.execution_time_ms, x.success, x.recorded_at
  FROM tasker_workflow_step_result_audit AS x
  ORDER BY x.audit_uuid DESC
  LIMIT %(attempts)s
) AS a
JOIN tasker_workflow_steps AS s ON s.workflow_step_uuid = a.workflow_step_uuid
JOIN tasker_named_steps AS st ON st.named_step_uuid = s.named_step_uuid
JOIN tasker_tasks AS t ON t.task_uuid = a.task_uuid
JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
WHERE a.recorded_at >= %(start)s
  AND a.execution_time_ms IS NOT NULL
  AND (%(namespaces)s::text[] IS NULL OR n.name = ANY(%(namespaces)s::text[]))
GROUP BY n.name, nt.name, st.name
ORDER BY mean_ms DESC
LIMIT %(limit)s
