-- Readiness of steps. Caller: queries.readiness.step_readiness
SELECT
  workflow_step_uuid,
  task_uuid,
  named_step_uuid,
  name,
  current_state,
  dependencies_satisfied,
  retry_eligible,
  ready_for_execution,
  last_failure_at,
  next_retry_at,
  total_parents,
  completed_parents,
  attempts,
  max_attempts,
  backoff_request_seconds,
  last_attempted_at
FROM get_step_readiness_status_batch(%(task_uuids)s::uuid[], %(step_uuids)s::uuid[]);
