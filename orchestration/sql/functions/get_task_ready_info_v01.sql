-- What discovery says of one task, in any state; no lock, no filter.
CREATE FUNCTION get_task_ready_info(input_task_uuid uuid) RETURNS TABLE (
  task_uuid uuid,
  task_name text,
  priority int,
  namespace_name text,
  ready_steps_count bigint,
  computed_priority numeric,
  current_state text
)
LANGUAGE sql STABLE
AS $$
  SELECT * FROM get_task_ready_info_batch(ARRAY[input_task_uuid])
$$;
