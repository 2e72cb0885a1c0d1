-- Takes steps back from lost workers, unless the server started a moment ago: then every liveness
-- lock is free until its worker is back, and no lease was prolonged meanwhile.
-- Caller: queries/recovery.py reap_leases.
SELECT reaped.*
FROM (
  SELECT %(limit)s::int AS row_limit
  WHERE now() >= pg_postmaster_start_time() + make_interval(secs => %(grace_seconds)s)
) AS judge
CROSS JOIN LATERAL tasker_reap_leases(
  judge.row_limit, %(lock_seconds)s::float8, %(task_uuid)s::uuid
) AS reaped
