-- The next tasks to start or resume, best effective priority first, locked for the caller's
-- transaction. Pending tasks of open namespaces, and waiting tasks with a ready step: the test is
-- part of the selection, before the limit, so tasks that are not ready never hide one that is.
-- Walks the discovery index in its order; tasks that somebody else holds are skipped.
-- Thousands of tasks may wait for retries that are not due. They are passed over quickly, by one
-- look at their steps: evaluation found nothing ready, so a step that is ready now is due, or moved
-- after the task did. (Edges and counters edited by hand leave no such trace; there the task's own
-- due time is the latest.) All others get the full test.
CREATE FUNCTION get_next_ready_tasks(
  p_limit int DEFAULT 5,
  p_closed_namespaces text[] DEFAULT NULL
) RETURNS TABLE (
  task_uuid uuid,
  task_name text,
  priority int,
  namespace_name text,
  ready_steps_count bigint,
  computed_priority numeric,
  current_state text
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
SET enable_sort = off
AS $$
#variable_conflict use_column
DECLARE
  moment timestamptz := tasker_now();
  closed_templates uuid[] := ARRAY(
    SELECT nt.named_task_uuid
    FROM tasker_named_tasks AS nt
    JOIN tasker_task_namespaces AS n USING (task_namespace_uuid)
    WHERE n.name = ANY(p_closed_namespaces)
  );
  locked uuid[];
BEGIN
  SELECT array_agg(candidate.task_uuid)
  INTO locked
  FROM (
    SELECT t.task_uuid
    FROM tasker_tasks AS t
    WHERE t.state IN ('pending', 'waiting_for_dependencies', 'waiting_for_retry')
      AND CASE
        WHEN t.state = 'pending' THEN t.named_task_uuid <> ALL(closed_templates)
        WHEN t.state = 'waiting_for_retry' AND (
          SELECT true
          FROM tasker_workflow_steps AS r
          WHERE r.task_uuid = t.task_uuid
            AND (
              r.state_entered_at >= t.state_entered_at
              OR (r.state = 'waiting_for_retry' AND coalesce(r.next_retry_at <= moment, true))
            )
          LIMIT 1
        ) IS NULL THEN false
        ELSE (
          SELECT true
          FROM tasker_workflow_steps AS s
          WHERE s.task_uuid = t.task_uuid
            AND s.state IN ('pending', 'waiting_for_retry')
            AND (s.attempts = 0 OR (s.retryable AND s.attempts < s.max_attempts))
            AND CASE
              WHEN s.next_retry_at IS NOT NULL THEN s.next_retry_at <= moment
              WHEN s.state = 'waiting_for_retry' THEN coalesce(
                calculate_step_next_retry_time(
                  s.backoff_request_seconds, s.last_attempted_at, s.last_failure_at, s.attempts
                ) <= moment,
                true
              )
              ELSE true
            END
            AND (
              SELECT true
              FROM tasker_workflow_step_edges AS e
              WHERE e.to_step_uuid = s.workflow_step_uuid
                AND (
                  SELECT p.state
                  FROM tasker_workflow_steps AS p
                  WHERE p.workflow_step_uuid = e.from_step_uuid
                ) NOT IN ('complete', 'resolved_manually')
              LIMIT 1
            ) IS NULL
          LIMIT 1
        )
      END
    ORDER BY t.schedule_key DESC, t.created_at
    LIMIT p_limit
    FOR NO KEY UPDATE OF t SKIP LOCKED
  ) AS candidate;

  -- A new statement: what is answered was read after the locks were taken.
  RETURN QUERY
  SELECT i.*
  FROM get_task_ready_info_batch(locked) AS i
  WHERE i.current_state = 'pending' OR i.ready_steps_count > 0;
END
$$;
