-- The tasks that the detector would act upon now. Caller: queries/staleness.py find_stale_tasks.
SELECT
  task_uuid,
  namespace,
  name,
  current_state,
  time_in_state_minutes,
  threshold_minutes,
  reason
FROM get_stale_tasks_for_dlq(
  %(limit)s::int, %(deps)s::int, %(retry)s::int, %(in_process)s::int, %(lifetime_hours)s::int
)
