-- Puts the ready steps of the given tasks on the worker queues of their namespaces: one batch of
-- messages and one notification per queue. Called by lifecycle/step_enqueuer.py.
-- p_limit: a task gets so many steps in flight at most, by priority and name; null = no limit. A due
-- retry that finds no room becomes pending: it stays ready, and leaves the timer's list of due work,
-- where hundreds of them would keep other tasks' retries from being seen.
-- p_take: so many of the first ones p_worker claims here and now, for p_lease_seconds: one move less,
-- and no message, which nobody would read. Whoever takes such a claim back, or gives it back, sends one.
-- p_done: steps that have just become complete, and all that has changed: only what follows them can have
-- become ready, and retries that are due. In a large task few steps are looked at then. A task that was
-- at its limit is looked at as a whole: others may have been waiting for room.
-- Locks: the caller holds the tasks; steps that are not in flight belong to who holds the task.
CREATE OR REPLACE FUNCTION tasker_enqueue_ready_steps(
  p_task_uuids uuid[],
  p_limit int DEFAULT NULL,
  p_take int DEFAULT 0,
  p_worker uuid DEFAULT NULL,
  p_lease_seconds int DEFAULT 30,
  p_done uuid[] DEFAULT NULL
)
RETURNS TABLE (
  task_uuid uuid,
  workflow_step_uuid uuid,
  queue_name text,
  msg_id bigint,
  is_taken boolean
)
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
      'worker_' || r.namespace || '_queue' AS queue,
      r.place <= p_take AS is_taken,
      array_agg(r.workflow_step_uuid ORDER BY r.place) AS steps,
      array_agg(
        jsonb_build_object(
          'task_uuid', r.task_uuid,
          'step_uuid', r.workflow_step_uuid,
          'correlation_id', r.correlation_id
        )
        ORDER BY r.place
      ) FILTER (WHERE r.place > p_take) AS messages
    FROM (
      SELECT
        n.name AS namespace,
        row_number() OVER (ORDER BY t.schedule_key DESC, s.priority DESC, s.name) AS place,
        t.task_uuid,
        s.workflow_step_uuid,
        t.correlation_id
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
        SELECT
          CASE WHEN p_limit IS NOT NULL THEN (
            SELECT greatest(p_limit - count(*), 0)
            FROM tasker_workflow_steps AS x
            WHERE x.task_uuid = t.task_uuid
              AND x.state || '' IN (
                'enqueued', 'in_progress', 'enqueued_for_orchestration',
                'enqueued_as_error_for_orchestration'
              )
          ) END AS steps
        OFFSET 0
      ) AS room
      CROSS JOIN LATERAL (
        SELECT o.workflow_step_uuid, o.priority, o.name
        FROM (
          -- Sorted before the test, so that it ends with the last step for which there is room.
          SELECT *
          FROM tasker_workflow_steps AS x
          WHERE x.task_uuid = t.task_uuid
            AND x.state || '' IN ('pending', 'waiting_for_retry')
            AND (
              p_done IS NULL
              OR room.steps <= cardinality(p_done)
              OR x.state || '' = 'waiting_for_retry'
              OR x.workflow_step_uuid IN (
                SELECT e.to_step_uuid
                FROM tasker_workflow_step_edges AS e
                WHERE e.from_step_uuid = ANY(p_done)
              )
            )
          ORDER BY x.priority DESC, x.name
          OFFSET 0
        ) AS o
        WHERE (o.attempts = 0 OR (o.retryable AND o.attempts < o.max_attempts))
          AND coalesce(
            o.next_retry_at,
            CASE
              WHEN o.state = 'waiting_for_retry' THEN calculate_step_next_retry_time(
                o.backoff_request_seconds, o.last_attempted_at, o.last_failure_at, o.attempts
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
            WHERE e.to_step_uuid = o.workflow_step_uuid
              AND p.state NOT IN ('complete', 'resolved_manually')
            OFFSET 0
          )
        LIMIT room.steps
      ) AS s
    ) AS r
    GROUP BY r.namespace, is_taken
  LOOP
    v_msg_ids := NULL;
    IF NOT v_batch.is_taken THEN
      IF to_regclass(format('pgmq.%I', 'q_' || v_batch.queue)) IS NULL THEN
        PERFORM pgmq_create_queue_with_notify(v_batch.queue);
      END IF;
      v_msg_ids := ARRAY(
        SELECT * FROM pgmq_send_batch_with_notify(v_batch.queue, v_batch.messages)
      );
    END IF;
    RETURN QUERY
      UPDATE tasker_workflow_steps AS s
      SET
        state = CASE WHEN v_batch.is_taken THEN 'in_progress' ELSE 'enqueued' END,
        via = nullif(
          CASE s.state WHEN 'waiting_for_retry' THEN ARRAY['pending'] ELSE '{}' END
            || CASE WHEN v_batch.is_taken THEN ARRAY['enqueued'] ELSE '{}' END,
          '{}'
        ),
        queue_msg_id = sent.msg_id,
        attempts = s.attempts + v_batch.is_taken::int,
        last_attempted_at = CASE WHEN v_batch.is_taken THEN v_now ELSE s.last_attempted_at END,
        claimed_by = CASE WHEN v_batch.is_taken THEN p_worker END,
        lease_until = CASE
          WHEN v_batch.is_taken THEN v_now + make_interval(secs => p_lease_seconds)
        END
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
      RETURNING s.task_uuid, s.workflow_step_uuid, v_batch.queue, s.queue_msg_id, v_batch.is_taken;
  END LOOP;

  IF p_limit IS NOT NULL THEN
    UPDATE tasker_workflow_steps AS s
    SET state = 'pending'
    WHERE s.task_uuid = ANY(p_task_uuids)
      AND s.state = 'waiting_for_retry'
      AND s.retryable
      AND s.attempts < s.max_attempts
      AND s.next_retry_at <= v_now;
  END IF;
END
$$;
