-- How long the steps of a template take and how often they fail, over its newest tasks. Batch
-- instances count under their template step. Caller: queries/template_table.py step_times.
SELECT
  ns.name,
  count(*) AS attempts,
  avg(a.execution_time_ms)::float8 AS mean_ms,
  percentile_cont(0.95) WITHIN GROUP (ORDER BY a.execution_time_ms) AS p95_ms,
  count(*) FILTER (WHERE NOT a.success) AS failures
FROM (
  SELECT t.task_uuid
  FROM tasker_tasks AS t
  WHERE t.named_task_uuid = %(named_task_uuid)s::uuid
  ORDER BY t.task_uuid DESC
  LIMIT %(tasks)s
) AS newest
JOIN tasker_workflow_steps AS s ON s.task_uuid = newest.task_uuid
JOIN tasker_workflow_step_result_audit AS a ON a.workflow_step_uuid = s.workflow_step_uuid
JOIN tasker_named_steps AS ns ON ns.named_step_uuid = s.named_step_uuid
GROUP BY ns.name
