-- A process is alive. Caller: queries/processes.py beat. No row: it was taken for lost.
UPDATE tasker_workers
SET
  last_heartbeat_at = tasker_now(),
  updated_at = tasker_now(),
  running = %(running)s,
  slots = %(slots)s,
  status = %(status)s,
  report = %(report)s,
  has_liveness_lock = %(has_liveness_lock)s,
  lock_missing_since = NULL
WHERE worker_uuid = %(worker_uuid)s
  AND status IN ('running', 'draining')
