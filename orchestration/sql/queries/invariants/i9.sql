-- I9: no step was started while a parent was neither complete nor resolved. A parent that satisfies
-- its children never leaves those states, so its first entry decides.
-- Caller: queries.invariants.violations
SELECT
  started.workflow_step_uuid AS object_uuid,
  format(
    'started at %%s before parent %%s was done (%%s)',
    started.created_at, e.from_step_uuid, coalesce(done.first_at::text, 'never')
  ) AS detail
FROM tasker_workflow_step_transitions AS started
JOIN tasker_workflow_step_edges AS e ON e.to_step_uuid = started.workflow_step_uuid
CROSS JOIN LATERAL (
  SELECT min(h.created_at) AS first_at
  FROM tasker_workflow_step_transitions AS h
  WHERE h.workflow_step_uuid = e.from_step_uuid
    AND h.to_state IN ('complete', 'resolved_manually')
) AS done
WHERE started.to_state = 'in_progress'
  AND started.from_state IS NOT NULL
  AND (done.first_at IS NULL OR done.first_at > started.created_at);
