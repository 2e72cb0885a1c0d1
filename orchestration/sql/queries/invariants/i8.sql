-- I8: no step is tried more often than it may be; the first attempt is always allowed.
-- Caller: queries.invariants.violations
SELECT
  s.workflow_step_uuid AS object_uuid,
  format('step %%s: %%s attempts of %%s', s.name, s.attempts, s.max_attempts) AS detail
FROM tasker_workflow_steps AS s
WHERE s.attempts > greatest(1, s.max_attempts);
