-- Closed DLQ entries older than a limit go, oldest first. An entry is opened before it is closed, so
-- the index on the time of opening bounds the look.
DELETE FROM tasker_tasks_dlq
WHERE dlq_entry_uuid IN (
  SELECT d.dlq_entry_uuid
  FROM tasker_tasks_dlq AS d
  WHERE d.resolution_status IN ('manually_resolved', 'permanently_failed', 'cancelled')
    AND d.dlq_timestamp < tasker_now() - make_interval(secs => %(age_seconds)s)
    AND coalesce(d.resolution_timestamp, d.updated_at)
      < tasker_now() - make_interval(secs => %(age_seconds)s)
  ORDER BY d.dlq_timestamp
  LIMIT %(limit)s
  FOR UPDATE SKIP LOCKED
)
