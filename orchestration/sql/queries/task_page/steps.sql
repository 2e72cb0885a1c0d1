-- The steps of a task in the order of creation, with what the table of steps says about each.
-- Caller: queries/task_page.py find_steps. A result is opened only where it can hold an error.
SELECT
  s.workflow_step_uuid AS step_uuid,
  s.name,
  s.step_type,
  s.state,
  s.attempts,
  s.max_attempts,
  s.next_retry_at,
  w.name AS worker,
  CASE
    WHEN s.state NOT IN ('complete', 'enqueued_for_orchestration')
      THEN left(coalesce(s.results #>> '{error,message}', s.results #>> '{error}'), 1000)
  END AS error
FROM tasker_workflow_steps AS s
LEFT JOIN tasker_workers AS w ON w.worker_uuid = s.claimed_by
WHERE s.task_uuid = %(task_uuid)s::uuid
ORDER BY s.created_at, s.workflow_step_uuid
LIMIT %(limit)s
