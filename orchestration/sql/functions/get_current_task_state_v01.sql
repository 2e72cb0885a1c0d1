-- The state of one task; null when there is none.
CREATE FUNCTION get_current_task_state(input_task_uuid uuid) RETURNS text
LANGUAGE sql STABLE
AS $$
  SELECT t.state::text
  FROM tasker_tasks AS t
  WHERE t.task_uuid = input_task_uuid
$$;
