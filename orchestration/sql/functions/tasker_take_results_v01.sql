-- First half of the result transaction (engine.md 7.2, lines 1-4): takes up to p_limit result messages
-- off the queue, locks their tasks and steps, and returns what deciding needs, one row a message.
-- Taking deletes; a rollback brings the messages back, so message and moves commit together.
-- p_msg_ids: only these messages, which the caller has read before (after a failed batch).
-- p_task: only, and all, messages about this task.
-- p_large: is_large says which tasks have more steps than this.
-- Called by queries/results.py. Locks: tasks in uuid order, then their steps in uuid order.
CREATE OR REPLACE FUNCTION tasker_take_results(
  p_limit int,
  p_move jsonb,
  p_msg_ids bigint[] DEFAULT NULL,
  p_task uuid DEFAULT NULL,
  p_large int DEFAULT 200
)
RETURNS TABLE (
  msg_id bigint,
  task_uuid uuid,
  workflow_step_uuid uuid,
  standing text,
  task_state varchar,
  step_state varchar,
  step_type varchar,
  succeeded boolean,
  wants_retry boolean,
  attempts int,
  max_attempts int,
  retryable boolean,
  backoff_strategy varchar,
  backoff_base_ms int,
  max_backoff_ms int,
  orchestration_metadata jsonb,
  namespace varchar,
  step_name varchar,
  waited_ms float8,
  named_task_uuid uuid,
  correlation_id uuid,
  task_created_at timestamptz,
  is_large boolean
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_msg_ids bigint[];
  v_messages jsonb[];
  v_sent_at timestamptz[];
  v_tasks uuid[];
  v_steps uuid[];
  v_versions int[];
  v_large uuid[];
  v_uuid CONSTANT text := '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$';
BEGIN
  IF p_task IS NOT NULL THEN
    WITH taken AS (
      DELETE FROM pgmq.q_orchestration_step_results AS q
      WHERE q.message ->> 'task_uuid' = p_task::text
      RETURNING q.msg_id, q.message, q.enqueued_at
    )
    SELECT array_agg(m.msg_id), array_agg(m.message), array_agg(m.enqueued_at)
    INTO v_msg_ids, v_messages, v_sent_at
    FROM taken AS m;
  ELSE
    v_msg_ids := coalesce(
      p_msg_ids,
      ARRAY(
        SELECT q.msg_id
        FROM pgmq.q_orchestration_step_results AS q
        WHERE q.vt <= clock_timestamp()
        ORDER BY q.msg_id
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED
      )
    );
    WITH taken AS (
      DELETE FROM pgmq.q_orchestration_step_results AS q
      WHERE q.msg_id = ANY(v_msg_ids)
      RETURNING q.msg_id, q.message, q.enqueued_at
    )
    SELECT array_agg(m.msg_id), array_agg(m.message), array_agg(m.enqueued_at)
    INTO v_msg_ids, v_messages, v_sent_at
    FROM taken AS m;
  END IF;
  IF v_msg_ids IS NULL THEN
    RETURN;
  END IF;
  PERFORM set_config('tasker.move', p_move::text, true);

  SELECT
    array_agg(CASE WHEN m ->> 'task_uuid' ~ v_uuid THEN (m ->> 'task_uuid')::uuid END),
    array_agg(CASE WHEN m ->> 'step_uuid' ~ v_uuid THEN (m ->> 'step_uuid')::uuid END),
    array_agg(
      CASE WHEN jsonb_typeof(m -> 'state_version') = 'number' THEN (m ->> 'state_version')::int END
    )
  INTO v_tasks, v_steps, v_versions
  FROM unnest(v_messages) AS x (m);

  PERFORM
  FROM (SELECT DISTINCT x.task_uuid FROM unnest(v_tasks) AS x (task_uuid) ORDER BY 1) AS m
  CROSS JOIN LATERAL (
    SELECT FROM tasker_tasks AS x WHERE x.task_uuid = m.task_uuid FOR NO KEY UPDATE
  ) AS t;
  PERFORM
  FROM (SELECT DISTINCT x.step_uuid FROM unnest(v_steps) AS x (step_uuid) ORDER BY 1) AS m
  CROSS JOIN LATERAL (
    SELECT
    FROM tasker_workflow_steps AS x
    WHERE x.workflow_step_uuid = m.step_uuid
    FOR NO KEY UPDATE
  ) AS s;

  v_large := ARRAY(
    SELECT m.task_uuid
    FROM (SELECT DISTINCT x.task_uuid FROM unnest(v_tasks) AS x (task_uuid)) AS m
    WHERE EXISTS (
      SELECT FROM tasker_workflow_steps AS x WHERE x.task_uuid = m.task_uuid OFFSET p_large
    )
  );

  RETURN QUERY
    SELECT
      m.msg_id,
      t.task_uuid,
      s.workflow_step_uuid,
      CASE
        WHEN m.task_uuid IS NULL OR m.step_uuid IS NULL THEN 'malformed'
        WHEN t.task_uuid IS NULL THEN 'unknown_task'
        WHEN s.state IN ('enqueued_for_orchestration', 'enqueued_as_error_for_orchestration')
          AND coalesce(m.state_version, s.state_version) = s.state_version
          AND row_number() OVER (
            -- Of the same version: an old message in the batch must not outdo the new one.
            PARTITION BY m.step_uuid, coalesce(m.state_version, s.state_version)
            ORDER BY m.msg_id
          ) = 1
        THEN 'live'
        ELSE 'obsolete'
      END,
      t.state,
      s.state,
      s.step_type,
      coalesce(s.results -> 'success' = 'true'::jsonb, false),
      coalesce(s.results #> '{metadata,retryable}' <> 'false'::jsonb, true)
        AND jsonb_typeof(s.results) = 'object',
      s.attempts,
      s.max_attempts,
      s.retryable,
      s.backoff_strategy,
      s.backoff_base_ms,
      s.max_backoff_ms,
      CASE s.state
        WHEN 'enqueued_as_error_for_orchestration' THEN s.results -> 'orchestration_metadata'
      END,
      n.name,
      s.name,
      extract(epoch FROM clock_timestamp() - m.sent_at)::float8 * 1000,
      t.named_task_uuid,
      t.correlation_id,
      t.created_at,
      m.task_uuid = ANY(v_large)
    FROM unnest(v_msg_ids, v_tasks, v_steps, v_versions, v_sent_at)
      AS m (msg_id, task_uuid, step_uuid, state_version, sent_at)
    LEFT JOIN LATERAL (
      SELECT * FROM tasker_tasks AS x WHERE x.task_uuid = m.task_uuid OFFSET 0
    ) AS t ON true
    LEFT JOIN LATERAL (
      SELECT *
      FROM tasker_workflow_steps AS x
      WHERE x.workflow_step_uuid = m.step_uuid AND x.task_uuid = t.task_uuid
      OFFSET 0
    ) AS s ON true
    LEFT JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
    LEFT JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
    ORDER BY m.msg_id;
END
$$;
