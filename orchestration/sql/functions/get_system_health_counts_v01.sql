-- How many tasks and steps are in each state, and how many connections are open: one row. Counts
-- whole tables, so it is for people and their tools; metrics count tasks alone (system_load.sql).
CREATE FUNCTION get_system_health_counts() RETURNS TABLE (
  pending_tasks bigint,
  initializing_tasks bigint,
  enqueuing_steps_tasks bigint,
  steps_in_process_tasks bigint,
  evaluating_results_tasks bigint,
  waiting_for_dependencies_tasks bigint,
  waiting_for_retry_tasks bigint,
  blocked_by_failures_tasks bigint,
  complete_tasks bigint,
  error_tasks bigint,
  cancelled_tasks bigint,
  resolved_manually_tasks bigint,
  total_tasks bigint,
  pending_steps bigint,
  enqueued_steps bigint,
  in_progress_steps bigint,
  enqueued_for_orchestration_steps bigint,
  enqueued_as_error_for_orchestration_steps bigint,
  waiting_for_retry_steps bigint,
  complete_steps bigint,
  error_steps bigint,
  cancelled_steps bigint,
  resolved_manually_steps bigint,
  total_steps bigint,
  in_backoff_steps bigint,
  exhausted_retry_steps bigint,
  active_connections int,
  max_connections int
)
LANGUAGE sql STABLE
AS $$
  SELECT
    t.*,
    s.*,
    (
      SELECT count(*)::int
      FROM pg_stat_activity
      WHERE datname = current_database()
        AND backend_type = 'client backend'
    ),
    current_setting('max_connections')::int
  FROM (
    SELECT
      count(*) FILTER (WHERE state = 'pending'),
      count(*) FILTER (WHERE state = 'initializing'),
      count(*) FILTER (WHERE state = 'enqueuing_steps'),
      count(*) FILTER (WHERE state = 'steps_in_process'),
      count(*) FILTER (WHERE state = 'evaluating_results'),
      count(*) FILTER (WHERE state = 'waiting_for_dependencies'),
      count(*) FILTER (WHERE state = 'waiting_for_retry'),
      count(*) FILTER (WHERE state = 'blocked_by_failures'),
      count(*) FILTER (WHERE state = 'complete'),
      count(*) FILTER (WHERE state = 'error'),
      count(*) FILTER (WHERE state = 'cancelled'),
      count(*) FILTER (WHERE state = 'resolved_manually'),
      count(*)
    FROM tasker_tasks
  ) AS t
  CROSS JOIN (
    SELECT
      count(*) FILTER (WHERE state = 'pending'),
      count(*) FILTER (WHERE state = 'enqueued'),
      count(*) FILTER (WHERE state = 'in_progress'),
      count(*) FILTER (WHERE state = 'enqueued_for_orchestration'),
      count(*) FILTER (WHERE state = 'enqueued_as_error_for_orchestration'),
      count(*) FILTER (WHERE state = 'waiting_for_retry'),
      count(*) FILTER (WHERE state = 'complete'),
      count(*) FILTER (WHERE state = 'error'),
      count(*) FILTER (WHERE state = 'cancelled'),
      count(*) FILTER (WHERE state = 'resolved_manually'),
      count(*),
      count(*) FILTER (WHERE state = 'waiting_for_retry' AND next_retry_at > moment),
      count(*) FILTER (WHERE state = 'error' AND attempts >= max_attempts)
    FROM tasker_workflow_steps
    CROSS JOIN (SELECT tasker_now() AS moment) AS clock
  ) AS s
$$;
