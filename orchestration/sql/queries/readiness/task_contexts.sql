-- Execution contexts of tasks. Caller: queries.readiness.task_contexts
SELECT
  task_uuid,
  named_task_uuid,
  status,
  total_steps,
  pending_steps,
  in_progress_steps,
  completed_steps,
  failed_steps,
  ready_steps,
  execution_status,
  recommended_action,
  completion_percentage,
  health_status,
  enqueued_steps,
  waiting_for_retry_steps,
  cancelled_steps,
  blocked_steps
FROM get_task_execution_contexts_batch(%(task_uuids)s::uuid[]);
