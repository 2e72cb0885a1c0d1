-- The moves of a task and of its steps in order, each with the time that was spent in the state
-- before it. Caller: queries/task_history.py find_moves.
SELECT
  m.subject,
  m.step_uuid,
  m.step_name,
  m.sort_key,
  m.from_state,
  m.to_state,
  m.event,
  m.created_at,
  m.duration_ms,
  m.processor_uuid,
  m.worker_uuid,
  m.attempt,
  m.actor,
  m.metadata ->> 'reason' AS reason,
  m.metadata
FROM (
  SELECT
    'task' AS subject,
    NULL::uuid AS step_uuid,
    NULL::text AS step_name,
    h.sort_key,
    h.from_state,
    h.to_state,
    h.event,
    h.created_at,
    round(extract(epoch FROM h.created_at - lag(h.created_at) OVER (ORDER BY h.sort_key)) * 1000)::bigint
      AS duration_ms,
    h.processor_uuid,
    NULL::uuid AS worker_uuid,
    NULL::int AS attempt,
    h.actor,
    h.metadata
  FROM tasker_task_transitions AS h
  WHERE h.task_uuid = %(task_uuid)s::uuid
    AND %(subject)s::text IS DISTINCT FROM 'step'
  UNION ALL
  SELECT
    'step',
    s.workflow_step_uuid,
    s.name::text,
    h.sort_key,
    h.from_state,
    h.to_state,
    h.event,
    h.created_at,
    round(
      extract(
        epoch FROM h.created_at
        - lag(h.created_at) OVER (PARTITION BY h.workflow_step_uuid ORDER BY h.sort_key)
      ) * 1000
    )::bigint,
    h.processor_uuid,
    h.worker_uuid,
    h.attempt,
    h.actor,
    h.metadata
  FROM tasker_workflow_steps AS s
  JOIN tasker_workflow_step_transitions AS h ON h.workflow_step_uuid = s.workflow_step_uuid
  WHERE s.task_uuid = %(task_uuid)s::uuid
    AND %(subject)s::text IS DISTINCT FROM 'task'
) AS m
ORDER BY m.created_at, m.subject DESC, m.step_uuid, m.sort_key
LIMIT %(limit)s
OFFSET %(offset)s
