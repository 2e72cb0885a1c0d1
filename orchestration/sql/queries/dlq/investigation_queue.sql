-- Pending entries, the most pressing first; of those in `seen` only, null = all.
-- Caller: queries/dlq.py investigation_queue.
SELECT
  dlq_entry_uuid,
  minutes_in_dlq,
  priority_score
FROM tasker_dlq_investigation_queue
WHERE %(seen)s::uuid[] IS NULL OR dlq_entry_uuid = ANY(%(seen)s::uuid[])
ORDER BY priority_score DESC, dlq_timestamp, dlq_entry_uuid
LIMIT %(limit)s
