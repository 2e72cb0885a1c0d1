-- Processes heard lately, by kind. Caller: queries/gauges.py.
SELECT p.kind AS label, count(*) AS amount
FROM tasker_workers AS p
WHERE p.status IN ('running', 'draining')
  AND p.last_heartbeat_at > tasker_now() - make_interval(secs => %(fresh_seconds)s)
GROUP BY p.kind
