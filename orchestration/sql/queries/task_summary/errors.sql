-- What failed in the steps of a task, without the words of the failure; a result may be large and is
-- opened only where it can hold an error. Caller: queries/task_summary.py find_errors.
SELECT
  s.workflow_step_uuid AS step_uuid,
  s.results #>> '{error,error_type}' AS error_type,
  s.results #> '{error,retryable}' = 'true'::jsonb AS retryable,
  CASE jsonb_typeof(s.results #> '{error,status_code}')
    WHEN 'number' THEN (s.results #>> '{error,status_code}')::numeric
  END AS status_code
FROM tasker_workflow_steps AS s
WHERE s.task_uuid = %(task_uuid)s::uuid
  AND s.state NOT IN ('complete', 'enqueued_for_orchestration')
  AND jsonb_typeof(s.results -> 'error') = 'object'
