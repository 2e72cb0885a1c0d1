-- Enters one stale task in the DLQ and ends it, as its template wants; no row when it is held by
-- somebody or not stale any more. Caller: queries/staleness.py settle_stale_task.
SELECT
  task_uuid,
  namespace,
  name,
  current_state,
  time_in_state_minutes,
  threshold_minutes,
  action_taken,
  moved_to_dlq,
  transition_success,
  reason,
  failure
FROM tasker_settle_stale_task(
  %(task_uuid)s,
  %(deps)s::int,
  %(retry)s::int,
  %(in_process)s::int,
  %(lifetime_hours)s::int,
  %(notify)s
)
