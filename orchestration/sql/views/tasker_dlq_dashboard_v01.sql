-- The DLQ in one row per reason.
CREATE VIEW tasker_dlq_dashboard AS
SELECT
  dlq_reason,
  count(*) AS total,
  count(*) FILTER (WHERE resolution_status = 'pending') AS pending,
  count(*) FILTER (WHERE resolution_status = 'manually_resolved') AS manually_resolved,
  count(*) FILTER (WHERE resolution_status = 'permanently_failed') AS permanently_failed,
  count(*) FILTER (WHERE resolution_status = 'cancelled') AS cancelled,
  min(dlq_timestamp) AS oldest_entry,
  max(dlq_timestamp) AS newest_entry,
  round(
    (avg(extract(epoch FROM resolution_timestamp - dlq_timestamp)) / 60)::numeric, 2
  ) AS avg_resolution_minutes
FROM tasker_tasks_dlq
GROUP BY dlq_reason;
