-- An operator's move of steps that the caller has locked. Caller: queries/steps.py operate.
-- Results stay unless given; a reset starts counting attempts again.
UPDATE tasker_workflow_steps
SET
  state = %(state)s,
  attempts = CASE WHEN %(state)s = 'pending' THEN 0 ELSE attempts END,
  backoff_request_seconds = CASE WHEN %(state)s = 'pending' THEN NULL ELSE backoff_request_seconds END,
  results = coalesce(%(results)s::jsonb, results)
WHERE workflow_step_uuid = ANY(%(step_uuids)s)
