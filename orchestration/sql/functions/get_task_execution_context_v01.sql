-- What the steps of one task add up to: the batch function with one task; no row for an unknown one.
CREATE FUNCTION get_task_execution_context(input_task_uuid uuid) RETURNS TABLE (
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
AS $$
BEGIN
  RETURN QUERY
  SELECT * FROM get_task_execution_contexts_batch(ARRAY[input_task_uuid]);
END
$$;
