-- New tasks of one template with their steps and edges; no row for an identity that is taken.
-- Caller: queries/tasks.py create_tasks.
SELECT identity_hash, task_uuid, created_at, correlation_id
FROM tasker_create_tasks(%(named_task)s, %(revision)s, %(tasks)s, %(steps)s, %(edges)s)
