-- Sends again what invariants I5 and I6 miss for longer than p_stranded_seconds: the step message of an
-- enqueued step, the result message of a reported one (queues purged by hand). Answers what was
-- repaired. Called by lifecycle/sweep.py in a transaction of its own.
-- Locks: tasks in uuid order, SKIP LOCKED; then their steps.
CREATE OR REPLACE FUNCTION tasker_repair_messages(p_stranded_seconds float8, p_limit int)
RETURNS TABLE (task_uuid uuid, workflow_step_uuid uuid, state varchar)
LANGUAGE plpgsql
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_before timestamptz := tasker_now() - make_interval(secs => p_stranded_seconds);
  v_namespace record;
  v_live bigint[];
  v_steps uuid[];
  v_reported jsonb[];
BEGIN
  FOR v_namespace IN
    SELECT
      'worker_' || n.name || '_queue' AS queue,
      array_agg(t.task_uuid) AS tasks,
      array_agg(s.workflow_step_uuid) AS steps
    FROM tasker_workflow_steps AS s
    JOIN tasker_tasks AS t ON t.task_uuid = s.task_uuid
    JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
    JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
    WHERE s.state = 'enqueued' AND s.state_entered_at < v_before
    GROUP BY n.name
  LOOP
    PERFORM FROM tasker_tasks AS t
    WHERE t.task_uuid = ANY(v_namespace.tasks)
    ORDER BY t.task_uuid
    FOR NO KEY UPDATE SKIP LOCKED;
    v_steps := ARRAY(
      SELECT s.workflow_step_uuid
      FROM tasker_workflow_steps AS s
      WHERE s.workflow_step_uuid = ANY(v_namespace.steps)
        AND s.state = 'enqueued'
        AND s.state_entered_at < v_before
      ORDER BY s.workflow_step_uuid
      FOR NO KEY UPDATE SKIP LOCKED
    );
    EXECUTE format('SELECT array_agg(msg_id) FROM pgmq.%I', 'q_' || v_namespace.queue) INTO v_live;
    v_steps := ARRAY(
      SELECT s.workflow_step_uuid
      FROM tasker_workflow_steps AS s
      WHERE s.workflow_step_uuid = ANY(v_steps)
        AND NOT s.queue_msg_id = ANY(coalesce(v_live, '{}'))
      LIMIT p_limit
    );
    PERFORM tasker_show_messages_again(v_steps);
    RETURN QUERY
      SELECT s.task_uuid, s.workflow_step_uuid, s.state
      FROM tasker_workflow_steps AS s
      WHERE s.workflow_step_uuid = ANY(v_steps);
  END LOOP;

  v_steps := ARRAY(
    SELECT s.workflow_step_uuid
    FROM tasker_workflow_steps AS s
    WHERE s.state IN ('enqueued_for_orchestration', 'enqueued_as_error_for_orchestration')
      AND s.state_entered_at < v_before
      AND NOT EXISTS (
        SELECT
        FROM pgmq.q_orchestration_step_results AS q
        WHERE q.message @> jsonb_build_object('step_uuid', s.workflow_step_uuid)
      )
    ORDER BY s.workflow_step_uuid
    LIMIT p_limit
    FOR NO KEY UPDATE SKIP LOCKED
  );
  SELECT array_agg(
    jsonb_build_object(
      'task_uuid', t.task_uuid,
      'step_uuid', s.workflow_step_uuid,
      'correlation_id', t.correlation_id,
      'attempt', s.attempts,
      'state_version', s.state_version
    )
  )
  INTO v_reported
  FROM tasker_workflow_steps AS s
  JOIN tasker_tasks AS t ON t.task_uuid = s.task_uuid
  WHERE s.workflow_step_uuid = ANY(v_steps);
  IF v_reported IS NOT NULL THEN
    PERFORM pgmq_send_batch_with_notify('orchestration_step_results', v_reported);
  END IF;
  RETURN QUERY
    SELECT s.task_uuid, s.workflow_step_uuid, s.state
    FROM tasker_workflow_steps AS s
    WHERE s.workflow_step_uuid = ANY(v_steps);
END
$$;
