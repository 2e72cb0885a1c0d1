-- Takes steps back from workers that are gone: lease expired, or the worker's liveness lock has
-- been free for p_lock_seconds. Answers 'requeued' (another attempt is left) or 'failed' (none is;
-- the caller evaluates the task). p_limit 0: only note whose lock is free. p_task: look at this task
-- alone, and at expired leases only.
-- Called by lifecycle/due_work.py.
-- Locks: tasks in uuid order, then their steps in uuid order; both SKIP LOCKED.
CREATE OR REPLACE FUNCTION tasker_reap_leases(
  p_limit int,
  p_lock_seconds float8 DEFAULT 2,
  p_task uuid DEFAULT NULL
)
RETURNS TABLE (task_uuid uuid, workflow_step_uuid uuid, outcome text)
LANGUAGE plpgsql
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := tasker_now();
  v_lost uuid[];
  v_tasks uuid[];
  v_requeued uuid[];
  v_failed uuid[];
  v_dead_messages bigint[];
  v_queue record;
  v_step record;
BEGIN
  -- A worker holds its lock exclusively; looking at it in shared mode keeps reapers from taking
  -- each other for the worker. Only the worker itself clears lock_missing_since.
  UPDATE tasker_workers AS w
  SET lock_missing_since = v_now
  WHERE p_task IS NULL
    AND w.status IN ('running', 'draining')
    AND w.has_liveness_lock
    AND w.lock_missing_since IS NULL
    AND pg_try_advisory_xact_lock_shared(hashtextextended(w.worker_uuid::text, 0));
  WITH lost AS (
    UPDATE tasker_workers AS w
    SET status = 'lost', stopped_at = v_now
    WHERE p_task IS NULL
      AND p_limit > 0
      AND w.status IN ('running', 'draining')
      AND w.has_liveness_lock
      AND w.lock_missing_since <= v_now - make_interval(secs => p_lock_seconds)
      AND pg_try_advisory_xact_lock_shared(hashtextextended(w.worker_uuid::text, 0))
    RETURNING w.worker_uuid
  )
  SELECT array_agg(l.worker_uuid) INTO v_lost FROM lost AS l;
  -- Claims of a worker that was found lost earlier, but for which the limit or a lock was in the way.
  -- Below, what such a worker has claimed since is left alone: it was frozen or cut off, lives after
  -- all, and its next heartbeat will say so.
  SELECT coalesce(v_lost, '{}') || coalesce(array_agg(w.worker_uuid), '{}') INTO v_lost
  FROM tasker_workers AS w
  WHERE p_task IS NULL AND w.status = 'lost' AND w.stopped_at > v_now - interval '1 hour';

  WITH expired AS (
    SELECT DISTINCT x.task_uuid
    FROM (
      (
        SELECT s.task_uuid
        FROM tasker_workflow_steps AS s
        WHERE s.state = 'in_progress'
          AND s.lease_until < v_now
          AND (p_task IS NULL OR s.task_uuid = p_task)
        ORDER BY s.lease_until
        LIMIT p_limit
      )
      UNION ALL
      (
        SELECT s.task_uuid
        FROM tasker_workflow_steps AS s
        JOIN tasker_workers AS w ON w.worker_uuid = s.claimed_by
        WHERE cardinality(v_lost) > 0 -- else all claims would be looked at for nothing
          AND s.claimed_by = ANY(v_lost)
          AND s.state = 'in_progress'
          AND s.last_attempted_at <= w.stopped_at
        LIMIT p_limit
      )
    ) AS x
  ),
  locked AS MATERIALIZED (
    SELECT t.task_uuid
    FROM tasker_tasks AS t
    JOIN expired AS e ON e.task_uuid = t.task_uuid
    ORDER BY t.task_uuid
    FOR NO KEY UPDATE OF t SKIP LOCKED
  )
  SELECT array_agg(l.task_uuid) INTO v_tasks FROM locked AS l;
  IF v_tasks IS NULL THEN
    RETURN;
  END IF;

  -- Re-checked under the lock: a report or heartbeat may have come in between. One that is just being
  -- stored holds its row, and decides; waiting for its commit would keep all others waiting.
  WITH gone AS MATERIALIZED (
    SELECT
      s.workflow_step_uuid,
      s.queue_msg_id,
      s.retryable AND s.attempts < s.max_attempts AS again
    FROM tasker_workflow_steps AS s
    WHERE s.task_uuid = ANY(v_tasks)
      AND s.state = 'in_progress'
      AND (
        s.lease_until < v_now
        OR s.claimed_by = ANY(v_lost)
        AND s.last_attempted_at <= (
          SELECT w.stopped_at FROM tasker_workers AS w WHERE w.worker_uuid = s.claimed_by
        )
      )
    ORDER BY s.workflow_step_uuid
    FOR NO KEY UPDATE OF s SKIP LOCKED
  )
  SELECT
    array_agg(g.workflow_step_uuid) FILTER (WHERE g.again),
    array_agg(g.workflow_step_uuid) FILTER (WHERE NOT g.again)
  INTO v_requeued, v_failed
  FROM gone AS g;

  PERFORM set_config(
    'tasker.move',
    (
      coalesce(nullif(current_setting('tasker.move', true), '')::jsonb, '{}')
      || '{"event": "worker_lost"}'
    )::text,
    true
  );
  FOR v_queue IN SELECT * FROM tasker_live_messages(v_failed) LOOP
    PERFORM pgmq.delete(v_queue.queue, v_queue.msg_ids);
  END LOOP;
  UPDATE tasker_workflow_steps AS s
  SET
    state = 'error',
    last_failure_at = v_now,
    results = tasker_engine_failure(
      s.workflow_step_uuid, 'worker_lost', 'WORKER_LOST',
      format('The worker %s was lost during attempt %s', s.claimed_by, s.attempts)
    )
  WHERE s.workflow_step_uuid = ANY(v_failed);
  UPDATE tasker_workflow_steps AS s
  SET
    state = 'enqueued',
    requeue_count = s.requeue_count + 1,
    last_failure_at = v_now
  WHERE s.workflow_step_uuid = ANY(v_requeued);
  PERFORM tasker_show_messages_again(v_requeued);

  RETURN QUERY
    SELECT s.task_uuid, s.workflow_step_uuid, CASE s.state WHEN 'error' THEN 'failed' ELSE 'requeued' END
    FROM tasker_workflow_steps AS s
    WHERE s.workflow_step_uuid = ANY(coalesce(v_requeued, '{}') || coalesce(v_failed, '{}'));
END
$$;
