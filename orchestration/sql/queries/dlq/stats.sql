-- The DLQ in one row per reason. Caller: queries/dlq.py stats.
SELECT
  dlq_reason,
  total,
  pending,
  manually_resolved,
  permanently_failed,
  cancelled,
  oldest_entry,
  newest_entry,
  avg_resolution_minutes
FROM tasker_dlq_dashboard
ORDER BY dlq_reason
