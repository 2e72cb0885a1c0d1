-- Tasks with a retry that is due, earliest first. Caller: queries/recovery.py tasks_with_due_retries.
SELECT DISTINCT due.task_uuid
FROM (
  SELECT s.task_uuid
  FROM tasker_workflow_steps AS s
  WHERE s.state = 'waiting_for_retry'
    AND s.retryable
    AND s.attempts < s.max_attempts
    AND s.next_retry_at <= %(now)s
  ORDER BY s.next_retry_at
  LIMIT %(limit)s
) AS due
