-- Pending entries, the most pressing first. Caller: queries/dlq.py investigation_queue.
SELECT
  dlq_entry_uuid,
  minutes_in_dlq,
  priority_score
FROM tasker_dlq_investigation_queue
ORDER BY priority_score DESC, dlq_timestamp, dlq_entry_uuid
LIMIT %(limit)s
