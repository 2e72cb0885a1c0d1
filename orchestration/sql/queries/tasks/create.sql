-- New tasks of one template with their steps and edges, started if all of them may; no row for an
-- identity that is taken. Caller: queries/tasks.py create_tasks.
SELECT
  identity_hash,
  task_uuid,
  created_at,
  correlation_id,
  queue_room,
  step_uuids,
  msg_ids
FROM tasker_create_tasks(
  %(move)s, %(named_task)s, %(revision)s, %(tasks)s, %(steps)s, %(edges)s, %(path)s, %(high_water)s
)
