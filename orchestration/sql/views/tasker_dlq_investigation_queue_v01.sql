-- What waits for an investigator, most pressing first: the weight of the reason, plus one point for
-- each minute of waiting.
CREATE VIEW tasker_dlq_investigation_queue AS
SELECT
  q.*,
  round(
    CASE q.dlq_reason
      WHEN 'dependency_cycle_detected' THEN 1000
      WHEN 'max_retries_exceeded' THEN 500
      WHEN 'poison_message' THEN 500
      WHEN 'staleness_timeout' THEN 100
      WHEN 'worker_unavailable' THEN 50
      ELSE 10
    END + q.minutes_in_dlq,
    2
  ) AS priority_score
FROM (
  SELECT
    d.dlq_entry_uuid,
    d.task_uuid,
    d.original_state,
    d.dlq_reason,
    d.dlq_timestamp,
    d.resolution_status,
    d.resolution_timestamp,
    d.resolution_notes,
    d.resolved_by,
    d.task_snapshot,
    d.queue_name,
    d.msg_id,
    d.message,
    d.metadata,
    d.created_at,
    d.updated_at,
    round((extract(epoch FROM tasker_now() - d.dlq_timestamp) / 60)::numeric, 2) AS minutes_in_dlq
  FROM tasker_tasks_dlq AS d
  WHERE d.resolution_status = 'pending'
) AS q
ORDER BY priority_score DESC, q.dlq_timestamp, q.dlq_entry_uuid;
