-- Workers store results `[{step_uuid, state_version, success, results}]`: fenced move into a reported
-- state, step messages deleted, result messages sent, all in the caller's transaction.
-- p_advance: the success of a task of so many steps at most needs no message when nobody else holds the
-- task: the step completes here and its task goes on (engine.md 7.2 in short). 0: all go by message.
-- p_take: the worker claims so many of the steps that this enqueues, for p_lease_seconds, and nobody is
-- told of the others: it reads the queue, or announces them. Null: it takes none and others are told.
-- task_state: where that left the task. On one step of each task: enqueued_steps, how many followed, and
-- taken_steps, which of those are claimed.
-- Called by queries/steps.py. Locks: tasks that nobody holds (SKIP LOCKED), if they may go on; then the
-- steps in uuid order.
CREATE OR REPLACE FUNCTION tasker_report_steps(
  p_reports jsonb,
  p_advance int DEFAULT 0,
  p_take int DEFAULT NULL,
  p_lease_seconds int DEFAULT 30
)
RETURNS TABLE (
  workflow_step_uuid uuid,
  accepted boolean,
  task_state varchar,
  enqueued_steps int,
  taken_steps uuid[]
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := tasker_now();
  v_ours uuid[] := '{}';
  v_held uuid[];
  v_accepted uuid[];
  v_tasks uuid[];
  v_final boolean[];
  v_worker uuid;
  v_queues text[];
  v_msg_ids bigint[];
  v_messages jsonb[];
  v_queue text;
BEGIN
  PERFORM set_config('tasker.move', '{}', true);
  IF p_advance > 0 THEN
    v_ours := tasker_lock_advancing(p_reports, p_advance);
  END IF;
  -- A statement of its own: a heartbeat that held the row until now has left a newer version of it,
  -- which the snapshot of a statement that waited for the lock cannot find by its ctid.
  v_held := tasker_lock_claims(p_reports);
  WITH reports AS MATERIALIZED (
    SELECT
      s.row_id, s.queue_msg_id, s.claimed_by, r.success, r.results,
      s.task_uuid = ANY(v_ours)
        AND s.step_type NOT IN ('decision', 'batchable')
        AND r.success
        AND r.results -> 'success' = 'true'::jsonb AS is_final
    FROM jsonb_to_recordset(p_reports)
      AS r (step_uuid uuid, state_version int, success boolean, results jsonb)
    CROSS JOIN LATERAL (
      SELECT x.ctid AS row_id, x.queue_msg_id, x.claimed_by, x.task_uuid, x.step_type
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
        WHEN r.is_final THEN 'complete'
        WHEN r.success THEN 'enqueued_for_orchestration'
        ELSE 'enqueued_as_error_for_orchestration'
      END,
      via = CASE WHEN r.is_final THEN ARRAY['enqueued_for_orchestration'] END,
      results = r.results,
      last_failure_at = CASE WHEN r.success THEN s.last_failure_at ELSE v_now END
    FROM reports AS r
    WHERE s.ctid = r.row_id
    RETURNING
      s.workflow_step_uuid, s.task_uuid, s.attempts, s.state_version,
      r.queue_msg_id AS msg_id, r.claimed_by, r.is_final
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
    ) FILTER (WHERE NOT m.is_final),
    array_agg(m.task_uuid),
    array_agg(m.is_final),
    (array_agg(m.claimed_by))[1]
  INTO v_accepted, v_queues, v_msg_ids, v_messages, v_tasks, v_final, v_worker
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
    FOR v_queue IN
      SELECT DISTINCT x.q FROM unnest(v_queues, v_msg_ids) AS x (q, id) WHERE x.id IS NOT NULL
    LOOP
      PERFORM pgmq.delete(
        v_queue,
        ARRAY(SELECT x.id FROM unnest(v_queues, v_msg_ids) AS x (q, id) WHERE x.q = v_queue)
      );
    END LOOP;
    PERFORM pgmq_send_batch_with_notify('orchestration_step_results', v_messages);
  END IF;

  IF true = ANY(v_final) THEN
    PERFORM set_config(
      'tasker.move',
      jsonb_build_object('actor', 'system:' || v_worker, 'processor_uuid', v_worker)::text,
      true
    );
    PERFORM set_config('tasker.is_quiet', (p_take IS NOT NULL)::text, true);
    RETURN QUERY
      WITH finals AS MATERIALIZED (
        SELECT
          x.step_uuid,
          x.task_uuid,
          row_number() OVER (PARTITION BY x.task_uuid) = 1 AS is_first
        FROM unnest(v_accepted, v_tasks, v_final) AS x (step_uuid, task_uuid, is_final)
        WHERE x.is_final
      ),
      advanced AS MATERIALIZED (
        SELECT a.task_uuid, a.task_state, a.enqueued_steps, a.taken_steps
        FROM tasker_advance_tasks(
          ARRAY(SELECT f.task_uuid FROM finals AS f WHERE f.is_first),
          coalesce(p_take, 0),
          v_worker,
          p_lease_seconds
        ) AS a
      )
      SELECT
        r.step_uuid,
        r.step_uuid = ANY(v_accepted),
        a.task_state,
        CASE WHEN f.is_first THEN a.enqueued_steps END,
        CASE WHEN f.is_first THEN a.taken_steps END
      FROM jsonb_to_recordset(p_reports) AS r (step_uuid uuid)
      LEFT JOIN finals AS f ON f.step_uuid = r.step_uuid
      LEFT JOIN advanced AS a ON a.task_uuid = f.task_uuid;
    PERFORM set_config('tasker.is_quiet', 'false', true);
    RETURN;
  END IF;

  RETURN QUERY
    SELECT r.step_uuid, r.step_uuid = ANY(coalesce(v_accepted, '{}')), NULL::varchar, NULL::int, NULL::uuid[]
    FROM jsonb_to_recordset(p_reports) AS r (step_uuid uuid);
END
$$;
