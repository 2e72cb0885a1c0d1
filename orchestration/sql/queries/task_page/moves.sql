-- The moves of a task and of its steps, the newest first. Caller: queries/task_page.py find_moves.
(
  SELECT
    h.created_at AS at,
    NULL::uuid AS step_uuid,
    '' AS step_name,
    h.sort_key,
    h.from_state,
    h.to_state,
    h.event,
    h.actor,
    h.processor_uuid,
    NULL::uuid AS worker_uuid,
    NULL::int AS attempt,
    h.metadata
  FROM tasker_task_transitions AS h
  WHERE h.task_uuid = %(task_uuid)s::uuid
)
UNION ALL
(
  SELECT
    h.created_at,
    s.workflow_step_uuid,
    s.name,
    h.sort_key,
    h.from_state,
    h.to_state,
    h.event,
    h.actor,
    h.processor_uuid,
    h.worker_uuid,
    h.attempt,
    h.metadata
  FROM tasker_workflow_steps AS s
  JOIN tasker_workflow_step_transitions AS h ON h.workflow_step_uuid = s.workflow_step_uuid
  WHERE s.task_uuid = %(task_uuid)s::uuid
)
ORDER BY at DESC, step_uuid DESC NULLS FIRST, sort_key DESC
LIMIT %(limit)s
