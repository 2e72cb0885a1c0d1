-- Readiness of the steps of many tasks. `step_uuids` filters the rows returned; parents are always
-- looked up without it. Two edges from one parent (of different names) count as one parent.
-- A plan that was made on empty tables must not scan full ones: hence the settings, and the parent's
-- state by a subquery, which can only be an index probe, where a join may become a hash join.
CREATE FUNCTION get_step_readiness_status_batch(
  input_task_uuids uuid[],
  step_uuids uuid[] DEFAULT NULL
) RETURNS TABLE (
  workflow_step_uuid uuid,
  task_uuid uuid,
  named_step_uuid uuid,
  name text,
  current_state text,
  dependencies_satisfied boolean,
  retry_eligible boolean,
  ready_for_execution boolean,
  last_failure_at timestamptz,
  next_retry_at timestamptz,
  total_parents int,
  completed_parents int,
  attempts int,
  max_attempts int,
  backoff_request_seconds float8,
  last_attempted_at timestamptz
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
    s.workflow_step_uuid,
    s.task_uuid,
    s.named_step_uuid,
    s.name::text,
    s.state::text,
    parents.done = parents.total,
    own.retry_eligible,
    s.state IN ('pending', 'waiting_for_retry')
      AND parents.done = parents.total
      AND own.retry_eligible
      AND (own.next_retry_at IS NULL OR own.next_retry_at <= moment),
    s.last_failure_at,
    own.next_retry_at,
    parents.total,
    parents.done,
    s.attempts,
    s.max_attempts,
    s.backoff_request_seconds,
    s.last_attempted_at
  FROM tasker_workflow_steps AS s
  CROSS JOIN LATERAL (
    SELECT
      count(DISTINCT e.from_step_uuid)::int AS total,
      (
        count(DISTINCT e.from_step_uuid) FILTER (WHERE (
          SELECT p.state
          FROM tasker_workflow_steps AS p
          WHERE p.workflow_step_uuid = e.from_step_uuid
        ) IN ('complete', 'resolved_manually'))
      )::int AS done
    FROM tasker_workflow_step_edges AS e
    WHERE e.to_step_uuid = s.workflow_step_uuid
  ) AS parents
  CROSS JOIN LATERAL (
    SELECT
      s.attempts = 0 OR (s.retryable AND s.attempts < s.max_attempts) AS retry_eligible,
      CASE
        WHEN s.next_retry_at IS NULL AND s.state = 'waiting_for_retry'
          THEN calculate_step_next_retry_time(
            s.backoff_request_seconds, s.last_attempted_at, s.last_failure_at, s.attempts
          )
        ELSE s.next_retry_at
      END AS next_retry_at
  ) AS own
  WHERE s.task_uuid = ANY(input_task_uuids)
    AND (step_uuids IS NULL OR s.workflow_step_uuid = ANY(step_uuids))
  ORDER BY s.task_uuid, s.workflow_step_uuid;
END
$$;
