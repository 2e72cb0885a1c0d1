-- The steps of a task. Caller: queries.task_graph.find_task_graph
-- A result may be large: it is opened only where it can hold an error.
SELECT
  s.workflow_step_uuid AS step_uuid,
  s.name,
  s.step_type,
  s.state,
  s.attempts,
  s.max_attempts,
  s.batch_id,
  s.created_at,
  s.last_attempted_at,
  s.completed_at,
  CASE
    WHEN s.state NOT IN ('complete', 'enqueued_for_orchestration')
      THEN s.results #>> '{error,error_type}'
  END AS error_type
FROM tasker_workflow_steps AS s
WHERE s.task_uuid = %(task_uuid)s::uuid;
