-- How many entries purge_entries.sql would delete.
SELECT count(*)
FROM tasker_tasks_dlq AS d
WHERE d.resolution_status IN ('manually_resolved', 'permanently_failed', 'cancelled')
  AND d.dlq_timestamp < tasker_now() - make_interval(secs => %(age_seconds)s)
  AND coalesce(d.resolution_timestamp, d.updated_at)
    < tasker_now() - make_interval(secs => %(age_seconds)s)
