-- What the steps of many tasks add up to, and so what comes next for each task. The hot path calls
-- it for every batch of results: one pass over the steps, no function call per row, parents looked
-- up only for steps whose own row allows them to run (CASE stops early). LIMIT keeps the parent
-- test a probe per step: as EXISTS the planner may hash the whole edge table instead.
CREATE FUNCTION get_task_execution_contexts_batch(input_task_uuids uuid[]) RETURNS TABLE (
  task_uuid uuid,
  named_task_uuid uuid,
  status text,
  total_steps bigint,
  pending_steps bigint,
  in_progress_steps bigint,
  completed_steps bigint,
  failed_steps bigint,
  ready_steps bigint,
  execution_status text,
  recommended_action text,
  completion_percentage numeric,
  health_status text,
  enqueued_steps bigint,
  waiting_for_retry_steps bigint,
  cancelled_steps bigint,
  blocked_steps bigint
)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  moment timestamptz := tasker_now();
BEGIN
  RETURN QUERY
  SELECT
    t.task_uuid,
    t.named_task_uuid,
    t.state::text,
    c.total,
    c.pending,
    c.in_progress,
    c.completed,
    c.failed,
    c.ready,
    v.execution_status,
    CASE v.execution_status
      WHEN 'has_ready_steps' THEN 'execute_ready_steps'
      WHEN 'processing' THEN 'wait_for_completion'
      WHEN 'blocked_by_failures' THEN 'handle_failures'
      WHEN 'all_complete' THEN 'finalize_task'
      ELSE 'wait_for_dependencies'
    END,
    CASE
      WHEN c.total = 0 THEN 0.00
      ELSE round(100 * c.completed::numeric / c.total, 2)
    END,
    CASE
      WHEN c.blocked = 0 THEN 'healthy'
      WHEN c.ready + c.in_progress + c.enqueued + c.waiting > 0 THEN 'recovering'
      ELSE 'blocked'
    END,
    c.enqueued,
    c.waiting,
    c.cancelled,
    c.blocked
  FROM tasker_tasks AS t
  CROSS JOIN LATERAL (
    SELECT
      count(*) AS total,
      count(*) FILTER (WHERE s.state = 'pending') AS pending,
      count(*) FILTER (WHERE s.state = 'in_progress') AS in_progress,
      count(*) FILTER (WHERE s.state IN ('complete', 'resolved_manually')) AS completed,
      count(*) FILTER (WHERE s.state = 'error') AS failed,
      count(*) FILTER (WHERE s.is_ready) AS ready,
      count(*) FILTER (WHERE s.state IN (
        'enqueued', 'enqueued_for_orchestration', 'enqueued_as_error_for_orchestration'
      )) AS enqueued,
      count(*) FILTER (
        WHERE s.state = 'waiting_for_retry' AND s.is_eligible AND s.is_ready IS NOT TRUE
      ) AS waiting,
      count(*) FILTER (WHERE s.state = 'cancelled') AS cancelled,
      count(*) FILTER (WHERE s.state = 'error' OR NOT s.is_eligible) AS blocked
    FROM (
      SELECT
        own.state,
        own.is_eligible,
        CASE
          WHEN own.is_eligible AND own.is_due THEN (
            SELECT true
            FROM tasker_workflow_step_edges AS e
            WHERE e.to_step_uuid = own.workflow_step_uuid
              AND (
                SELECT p.state
                FROM tasker_workflow_steps AS p
                WHERE p.workflow_step_uuid = e.from_step_uuid
              ) NOT IN ('complete', 'resolved_manually')
            LIMIT 1
          ) IS NULL
        END AS is_ready
      FROM (
        SELECT
          r.workflow_step_uuid,
          r.state,
          -- null unless the step could still be started
          CASE
            WHEN r.state IN ('pending', 'waiting_for_retry')
              THEN r.attempts = 0 OR (r.retryable AND r.attempts < r.max_attempts)
          END AS is_eligible,
          CASE
            WHEN r.next_retry_at IS NOT NULL THEN r.next_retry_at <= moment
            WHEN r.state = 'waiting_for_retry' THEN coalesce(
              calculate_step_next_retry_time(
                r.backoff_request_seconds, r.last_attempted_at, r.last_failure_at, r.attempts
              ) <= moment,
              true
            )
            ELSE true
          END AS is_due
        FROM tasker_workflow_steps AS r
        WHERE r.task_uuid = t.task_uuid
      ) AS own
      OFFSET 0  -- a fence: pulled up, is_ready would be worked out once per count that uses it
    ) AS s
  ) AS c
  CROSS JOIN LATERAL (
    SELECT CASE
      WHEN c.ready > 0 THEN 'has_ready_steps'
      WHEN c.in_progress + c.enqueued > 0 THEN 'processing'
      WHEN c.waiting > 0 THEN 'waiting_for_dependencies'
      WHEN c.blocked > 0 THEN 'blocked_by_failures'
      WHEN c.completed > 0 AND c.completed + c.cancelled = c.total AND t.state <> 'cancelled'
        THEN 'all_complete'
      ELSE 'waiting_for_dependencies'
    END AS execution_status
  ) AS v
  WHERE t.task_uuid = ANY(input_task_uuids)
  ORDER BY t.task_uuid;
END
$$;
