-- Locks tasks in uuid order (engine.md L1). Caller: queries/tasks.py lock_tasks.
SELECT task_uuid, state, named_task_uuid
FROM tasker_tasks
WHERE task_uuid = ANY(%(task_uuids)s)
ORDER BY task_uuid
FOR NO KEY UPDATE
