-- Active tasks without sign of life. Caller: queries.readiness.stuck_tasks
SELECT
  task_uuid,
  current_state,
  processor_uuid,
  stuck_duration_minutes,
  reason
FROM find_stuck_tasks(%(minutes)s);
