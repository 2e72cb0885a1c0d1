-- Workers store results `[{step_uuid, state_version, success, results}]`: fenced move into a reported
-- state, step messages deleted, result messages sent, all in the caller's transaction.
-- Called by queries/steps.py. Locks: steps in uuid order; never tasks.
CREATE OR REPLACE FUNCTION tasker_report_steps(p_reports jsonb)
RETURNS TABLE (workflow_step_uuid uuid, accepted boolean)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := tasker_now();
  v_held uuid[];
  v_accepted uuid[];
  v_queues text[];
  v_msg_ids bigint[];
  v_messages jsonb[];
  v_queue text;
BEGIN
  PERFORM set_config('tasker.move', '{}', true);
  -- A statement of its own: a heartbeat that held the row until now has left a newer version of it,
  -- which the snapshot of a statement that waited for the lock cannot find by its ctid.
  v_held := tasker_lock_claims(p_reports);
  WITH reports AS MATERIALIZED (
    SELECT s.row_id, s.queue_msg_id, r.success, r.results
    FROM jsonb_to_recordset(p_reports)
      AS r (step_uuid uuid, state_version int, success boolean, results jsonb)
    CROSS JOIN LATERAL (
      SELECT x.ctid AS row_id, x.queue_msg_id
      FROM tasker_workflow_steps AS x
      WHERE x.workflow_step_uuid = r.step_uuid
        AND x.state_version = r.state_version
      OFFSET 0
    ) AS s
    WHERE r.step_uuid = ANY(v_held)
  ),
  moved AS (
    UPDATE tasker_workflow_steps AS s
    SET
      state = CASE
        WHEN r.success THEN 'enqueued_for_orchestration'
        ELSE 'enqueued_as_error_for_orchestration'
      END,
      results = r.results,
      last_failure_at = CASE WHEN r.success THEN s.last_failure_at ELSE v_now END
    FROM reports AS r
    WHERE s.ctid = r.row_id
    RETURNING
      s.workflow_step_uuid, s.task_uuid, s.attempts, s.state_version, r.queue_msg_id AS msg_id
  )
  SELECT
    array_agg(m.workflow_step_uuid),
    array_agg('worker_' || n.name || '_queue'),
    array_agg(m.msg_id),
    array_agg(
      jsonb_build_object(
        'task_uuid', m.task_uuid,
        'step_uuid', m.workflow_step_uuid,
        'correlation_id', t.correlation_id,
        'attempt', m.attempts,
        'state_version', m.state_version
      )
    )
  INTO v_accepted, v_queues, v_msg_ids, v_messages
  FROM moved AS m
  CROSS JOIN LATERAL (
    SELECT x.named_task_uuid, x.correlation_id
    FROM tasker_tasks AS x
    WHERE x.task_uuid = m.task_uuid
    OFFSET 0
  ) AS t
  JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
  JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid;

  IF v_accepted IS NOT NULL THEN
    FOR v_queue IN SELECT DISTINCT q FROM unnest(v_queues) AS x (q) LOOP
      PERFORM pgmq.delete(
        v_queue,
        ARRAY(SELECT x.id FROM unnest(v_queues, v_msg_ids) AS x (q, id) WHERE x.q = v_queue)
      );
    END LOOP;
    PERFORM pgmq_send_batch_with_notify('orchestration_step_results', v_messages);
  END IF;

  RETURN QUERY
    SELECT r.step_uuid, r.step_uuid = ANY(coalesce(v_accepted, '{}'))
    FROM jsonb_to_recordset(p_reports) AS r (step_uuid uuid);
END
$$;
