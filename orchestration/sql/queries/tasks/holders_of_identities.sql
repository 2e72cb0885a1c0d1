-- The tasks that hold identities. Caller: queries/tasks.py holders_of_identities.
SELECT identity_hash, task_uuid, state, request_hash, correlation_id
FROM tasker_tasks
WHERE identity_hash = ANY(%(identity_hashes)s)
