-- Open investigations by reason; looked at in one pass that ends at a limit. Caller:
-- queries/gauges.py.
SELECT pending.dlq_reason AS label, count(*) AS amount
FROM (
  SELECT d.dlq_reason
  FROM tasker_tasks_dlq AS d
  WHERE d.resolution_status = 'pending'
  LIMIT %(limit)s::int
) AS pending
GROUP BY pending.dlq_reason
