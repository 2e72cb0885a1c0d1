-- Readiness of the steps of one task: the batch function with one task.
CREATE FUNCTION get_step_readiness_status(
  input_task_uuid uuid,
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
AS $$
BEGIN
  RETURN QUERY
  SELECT * FROM get_step_readiness_status_batch(ARRAY[input_task_uuid], step_uuids);
END
$$;
