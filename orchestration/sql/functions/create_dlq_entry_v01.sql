-- Opens an investigation of a task as it is found; null when one is open already, or when there is
-- no such task. The snapshot tells identity, counts, the steps and the last moves: no context and
-- no results, which may be large or secret.
CREATE FUNCTION create_dlq_entry(
  input_task_uuid uuid,
  p_reason text,
  p_metadata jsonb DEFAULT '{}'
) RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  entry uuid;
BEGIN
  INSERT INTO tasker_tasks_dlq (
    task_uuid, original_state, dlq_reason, dlq_timestamp, task_snapshot, metadata
  )
  SELECT
    t.task_uuid,
    t.state,
    p_reason,
    tasker_now(),
    jsonb_build_object(
      'task_uuid', t.task_uuid,
      'namespace', n.name,
      'name', nt.name,
      'version', nt.version,
      'state', t.state,
      'state_version', t.state_version,
      'state_entered_at', t.state_entered_at,
      'created_at', t.created_at,
      'priority', t.priority,
      'initiator', t.initiator,
      'source_system', t.source_system,
      'correlation_id', t.correlation_id,
      'counts', jsonb_build_object(
        'total', c.total_steps,
        'pending', c.pending_steps,
        'in_progress', c.in_progress_steps,
        'enqueued', c.enqueued_steps,
        'completed', c.completed_steps,
        'failed', c.failed_steps,
        'ready', c.ready_steps,
        'waiting_for_retry', c.waiting_for_retry_steps,
        'cancelled', c.cancelled_steps,
        'blocked', c.blocked_steps
      ),
      'steps', (
        SELECT coalesce(
          jsonb_agg(
            jsonb_build_object(
              'name', s.name,
              'state', s.state,
              'attempts', s.attempts,
              'error_type', s.results #>> '{error,error_type}'
            )
            ORDER BY s.name
          ),
          '[]'
        )
        FROM tasker_workflow_steps AS s
        WHERE s.task_uuid = t.task_uuid
      ),
      'transitions', (
        SELECT coalesce(jsonb_agg(to_jsonb(latest) ORDER BY latest.sort_key), '[]')
        FROM (
          SELECT h.sort_key, h.from_state, h.to_state, h.event, h.actor, h.created_at
          FROM tasker_task_transitions AS h
          WHERE h.task_uuid = t.task_uuid
          ORDER BY h.sort_key DESC
          LIMIT 20
        ) AS latest
      )
    ),
    coalesce(p_metadata, '{}')
  FROM tasker_tasks AS t
  JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
  JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
  CROSS JOIN get_task_execution_context(input_task_uuid) AS c
  WHERE t.task_uuid = input_task_uuid
  ON CONFLICT (task_uuid) WHERE resolution_status = 'pending' DO NOTHING
  RETURNING dlq_entry_uuid INTO entry;
  RETURN entry;
END
$$;
