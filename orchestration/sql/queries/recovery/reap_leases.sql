-- Takes steps back from lost workers. When the server started a moment ago it only notes whose
-- liveness lock is free: each is, until its worker is back, and no lease was prolonged meanwhile.
-- Caller: queries/recovery.py reap_leases.
SELECT reaped.*
FROM tasker_reap_leases(
  CASE
    WHEN now() >= pg_postmaster_start_time() + make_interval(secs => %(grace_seconds)s)
    THEN %(limit)s::int
    ELSE 0
  END,
  %(lock_seconds)s::float8,
  %(task_uuid)s::uuid
) AS reaped
