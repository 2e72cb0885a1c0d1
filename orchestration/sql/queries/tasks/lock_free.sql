-- Locks those tasks that nobody holds, in uuid order. Caller: queries/tasks.py lock_tasks.
SELECT task_uuid, state, named_task_uuid
FROM tasker_tasks
WHERE task_uuid = ANY(%(task_uuids)s)
ORDER BY task_uuid
FOR NO KEY UPDATE SKIP LOCKED
