-- Execution contexts of tasks. Caller: queries.readiness.task_contexts
SELECT
  c.task_uuid,
  c.named_task_uuid,
  c.status,
  c.total_steps,
  c.pending_steps,
  c.in_progress_steps,
  c.completed_steps,
  c.failed_steps,
  c.ready_steps,
  c.execution_status,
  c.recommended_action,
  c.completion_percentage,
  c.health_status,
  c.enqueued_steps,
  c.waiting_for_retry_steps,
  c.cancelled_steps,
  c.blocked_steps,
  t.correlation_id,
  t.created_at
FROM get_task_execution_contexts_batch(%(task_uuids)s::uuid[]) AS c
CROSS JOIN LATERAL (
  SELECT x.correlation_id, x.created_at
  FROM tasker_tasks AS x
  WHERE x.task_uuid = c.task_uuid
  OFFSET 0
) AS t
