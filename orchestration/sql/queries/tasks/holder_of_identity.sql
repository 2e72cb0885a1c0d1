-- The task that holds an identity. Caller: queries/tasks.py holder_of_identity.
SELECT task_uuid, state, request_hash, correlation_id
FROM tasker_tasks
WHERE identity_hash = %(identity_hash)s
