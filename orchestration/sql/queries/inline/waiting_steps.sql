-- Steps of one task that wait for a dispatch: enqueued ones, and retries with their due time.
-- Caller: queries/inline.py waiting_steps.
SELECT
  s.workflow_step_uuid,
  s.name,
  coalesce(s.inputs ->> '__template_step_name', s.name) AS template_step_name,
  s.state,
  s.next_retry_at
FROM tasker_workflow_steps AS s
WHERE s.task_uuid = %(task_uuid)s
  AND s.state IN ('enqueued', 'waiting_for_retry')
