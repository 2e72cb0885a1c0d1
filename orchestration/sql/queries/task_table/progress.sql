-- What the list says of each task besides its own row: how far it is, its last error, whether it is
-- under investigation. Caller: queries/task_table.py progress_of.
SELECT
  c.task_uuid,
  c.status AS state,
  c.total_steps,
  c.completed_steps,
  c.failed_steps,
  e.step_name AS failed_step,
  e.error,
  EXISTS (
    SELECT
    FROM tasker_tasks_dlq AS d
    WHERE d.task_uuid = c.task_uuid AND d.resolution_status = 'pending'
  ) AS is_in_dlq
FROM get_task_execution_contexts_batch(%(task_uuids)s::uuid[]) AS c
LEFT JOIN LATERAL (
  SELECT
    s.name AS step_name,
    left(coalesce(s.results #>> '{error,message}', s.results #>> '{error}'), 300) AS error
  FROM tasker_workflow_steps AS s
  WHERE s.task_uuid = c.task_uuid
    AND s.state IN ('error', 'waiting_for_retry', 'enqueued_as_error_for_orchestration')
  ORDER BY s.last_failure_at DESC NULLS LAST
  LIMIT 1
) AS e ON true
