-- Processes that were not heard for too long are lost: they were killed and held no liveness lock, or
-- none that anybody looks at. By then the leases of such a worker have ended; one that lives after
-- all registers anew with its next heartbeat. Caller: queries/recovery.py mark_silent_processes.
UPDATE tasker_workers
SET status = 'lost', stopped_at = tasker_now(), updated_at = tasker_now()
WHERE status IN ('running', 'draining')
  AND last_heartbeat_at < tasker_now() - make_interval(secs => %(silent_seconds)s)
