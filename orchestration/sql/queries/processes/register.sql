-- A process starts, or comes back after it was taken for lost.
-- Caller: queries/processes.py register_process.
INSERT INTO tasker_workers (
  worker_uuid, kind, name, hostname, pid, version, environment, namespaces, handlers, slots,
  deployment_mode, has_liveness_lock
)
VALUES (
  %(worker_uuid)s, %(kind)s, %(name)s, %(hostname)s, %(pid)s, %(version)s, %(environment)s,
  %(namespaces)s, %(handlers)s, %(slots)s, %(deployment_mode)s, %(has_liveness_lock)s
)
ON CONFLICT (worker_uuid) DO UPDATE
SET
  status = 'running',
  last_heartbeat_at = tasker_now(),
  updated_at = tasker_now(),
  lock_missing_since = NULL,
  stopped_at = NULL
