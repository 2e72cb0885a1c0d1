-- The next task to start or resume, locked: get_next_ready_tasks with limit 1.
CREATE FUNCTION get_next_ready_task() RETURNS TABLE (
  task_uuid uuid,
  task_name text,
  priority int,
  namespace_name text,
  ready_steps_count bigint,
  computed_priority numeric,
  current_state text
)
LANGUAGE sql VOLATILE
AS $$
  SELECT * FROM get_next_ready_tasks(1)
$$;
