-- I4: a task is in steps_in_process exactly when at least one of its steps is in flight.
-- Caller: queries.invariants.violations
SELECT
  t.task_uuid AS object_uuid,
  format('task %%s, steps in flight: %%s', t.state, coalesce(f.names, 'none')) AS detail
FROM tasker_tasks AS t
CROSS JOIN LATERAL (
  SELECT string_agg(s.name || ' ' || s.state, ', ' ORDER BY s.name) AS names
  FROM tasker_workflow_steps AS s
  WHERE s.task_uuid = t.task_uuid
    AND s.state IN (
      'enqueued', 'in_progress', 'enqueued_for_orchestration',
      'enqueued_as_error_for_orchestration'
    )
) AS f
WHERE (t.state = 'steps_in_process') <> (f.names IS NOT NULL);
