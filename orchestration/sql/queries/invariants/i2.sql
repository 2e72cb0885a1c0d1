-- I2: a task is terminal exactly when it has a completion time, and a terminal task has no step that
-- is in flight or waits for a retry. Caller: queries.invariants.violations
SELECT
  t.task_uuid AS object_uuid,
  format('task %%s, completed_at %%s, running steps: %%s', t.state, t.completed_at, r.names) AS detail
FROM tasker_tasks AS t
CROSS JOIN LATERAL (
  SELECT string_agg(s.name || ' ' || s.state, ', ' ORDER BY s.name) AS names
  FROM tasker_workflow_steps AS s
  WHERE s.task_uuid = t.task_uuid
    AND s.state IN (
      'enqueued', 'in_progress', 'enqueued_for_orchestration',
      'enqueued_as_error_for_orchestration', 'waiting_for_retry'
    )
) AS r
CROSS JOIN LATERAL (
  SELECT t.state IN ('complete', 'error', 'cancelled', 'resolved_manually') AS is_terminal
) AS own
WHERE own.is_terminal <> (t.completed_at IS NOT NULL)
   OR (own.is_terminal AND r.names IS NOT NULL);
