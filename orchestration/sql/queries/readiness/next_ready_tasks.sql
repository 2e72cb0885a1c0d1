-- Locks and returns the next tasks to start. Caller: queries.readiness.next_ready_tasks
SELECT
  task_uuid,
  task_name,
  priority,
  namespace_name,
  ready_steps_count,
  computed_priority,
  current_state
FROM get_next_ready_tasks(%(limit)s, %(closed_namespaces)s::text[]);
