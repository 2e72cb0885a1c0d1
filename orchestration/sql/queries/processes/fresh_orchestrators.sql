-- Orchestrators heard lately, with what they say about themselves. Caller: queries/processes.py
-- fresh_orchestrators.
SELECT p.worker_uuid, p.report
FROM tasker_workers AS p
WHERE p.kind = 'orchestrator'
  AND p.status IN ('running', 'draining')
  AND p.last_heartbeat_at > tasker_now() - make_interval(secs => %(within_seconds)s)
