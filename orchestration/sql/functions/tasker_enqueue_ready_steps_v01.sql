-- Puts all ready steps of the given tasks on the worker queues of their namespaces: one batch of
-- messages and one notification per queue. Called by lifecycle/step_enqueuer.py.
-- Locks: the caller holds the tasks; steps that are not in flight belong to who holds the task.
CREATE OR REPLACE FUNCTION tasker_enqueue_ready_steps(p_task_uuids uuid[])
RETURNS TABLE (task_uuid uuid, workflow_step_uuid uuid, queue_name text, msg_id bigint)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
DECLARE
  v_now timestamptz := tasker_now();
  v_batch record;
  v_msg_ids bigint[];
BEGIN
  FOR v_batch IN
    SELECT
      'worker_' || n.name || '_queue' AS queue,
      array_agg(s.workflow_step_uuid ORDER BY t.schedule_key DESC, s.priority DESC, s.name) AS steps,
      array_agg(
        jsonb_build_object(
          'task_uuid', t.task_uuid,
          'step_uuid', s.workflow_step_uuid,
          'correlation_id', t.correlation_id
        )
        ORDER BY t.schedule_key DESC, s.priority DESC, s.name
      ) AS messages
    FROM unnest(p_task_uuids) AS wanted (task_uuid)
    CROSS JOIN LATERAL (
      SELECT x.task_uuid, x.named_task_uuid, x.correlation_id, x.schedule_key
      FROM tasker_tasks AS x
      WHERE x.task_uuid = wanted.task_uuid
      OFFSET 0
    ) AS t
    JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
    JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
    CROSS JOIN LATERAL (
      SELECT *
      FROM tasker_workflow_steps AS x
      WHERE x.task_uuid = t.task_uuid
        AND x.state || '' IN ('pending', 'waiting_for_retry')
      OFFSET 0
    ) AS s
    WHERE (s.attempts = 0 OR (s.retryable AND s.attempts < s.max_attempts))
      AND coalesce(
        s.next_retry_at,
        CASE
          WHEN s.state = 'waiting_for_retry' THEN calculate_step_next_retry_time(
            s.backoff_request_seconds, s.last_attempted_at, s.last_failure_at, s.attempts
          )
        END,
        v_now
      ) <= v_now
      AND NOT EXISTS (
        SELECT
        FROM tasker_workflow_step_edges AS e
        CROSS JOIN LATERAL (
          SELECT x.state
          FROM tasker_workflow_steps AS x
          WHERE x.workflow_step_uuid = e.from_step_uuid
          OFFSET 0
        ) AS p
        WHERE e.to_step_uuid = s.workflow_step_uuid
          AND p.state NOT IN ('complete', 'resolved_manually')
        OFFSET 0
      )
    GROUP BY n.name
  LOOP
    IF to_regclass(format('pgmq.%I', 'q_' || v_batch.queue)) IS NULL THEN
      PERFORM pgmq_create_queue_with_notify(v_batch.queue);
    END IF;
    v_msg_ids := ARRAY(SELECT * FROM pgmq_send_batch_with_notify(v_batch.queue, v_batch.messages));
    RETURN QUERY
      UPDATE tasker_workflow_steps AS s
      SET
        state = 'enqueued',
        via = CASE s.state WHEN 'waiting_for_retry' THEN ARRAY['pending'] END,
        queue_msg_id = sent.msg_id
      FROM (
        SELECT x.row_id, u.msg_id
        FROM unnest(v_batch.steps, v_msg_ids) AS u (step_uuid, msg_id)
        CROSS JOIN LATERAL (
          SELECT w.ctid AS row_id
          FROM tasker_workflow_steps AS w
          WHERE w.workflow_step_uuid = u.step_uuid
          OFFSET 0
        ) AS x
      ) AS sent
      WHERE s.ctid = sent.row_id
      RETURNING s.task_uuid, s.workflow_step_uuid, v_batch.queue, s.queue_msg_id;
  END LOOP;
END
$$;
