-- Rows of processes that ended a week ago. Caller: queries/recovery.py forget_old_processes.
DELETE FROM tasker_workers
WHERE status IN ('stopped', 'lost')
  AND coalesce(stopped_at, last_heartbeat_at) < tasker_now() - interval '7 days'
