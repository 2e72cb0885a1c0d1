-- The moves of a step, the newest first, with what the attempt behind a report was like. Caller:
-- queries/step_page.py find_moves.
SELECT
  h.created_at AS at,
  h.sort_key,
  h.from_state,
  h.to_state,
  h.event,
  h.actor,
  h.processor_uuid,
  h.worker_uuid,
  w.name AS worker,
  h.attempt,
  h.metadata,
  a.success,
  a.execution_time_ms,
  a.error_type
FROM tasker_workflow_step_transitions AS h
LEFT JOIN tasker_workers AS w ON w.worker_uuid = h.worker_uuid
LEFT JOIN tasker_workflow_step_result_audit AS a
  ON a.workflow_step_uuid = h.workflow_step_uuid
  AND a.transition_uuid = h.workflow_step_transition_uuid
WHERE h.workflow_step_uuid = %(step_uuid)s::uuid
ORDER BY h.sort_key DESC
LIMIT %(limit)s
