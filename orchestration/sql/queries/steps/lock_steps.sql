-- Locks steps of a task that the caller holds, in uuid order. Caller: queries/steps.py lock_steps.
SELECT workflow_step_uuid, task_uuid, name, step_type, state, state_version
FROM tasker_workflow_steps
WHERE task_uuid = %(task_uuid)s
  AND (%(step_uuid)s::uuid IS NULL OR workflow_step_uuid = %(step_uuid)s)
ORDER BY workflow_step_uuid
FOR NO KEY UPDATE
