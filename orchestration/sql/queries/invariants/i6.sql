-- I6: for a reported step, exactly one message in orchestration_step_results names its version.
-- Caller: queries.invariants.violations
SELECT
  s.workflow_step_uuid AS object_uuid,
  format('step %%s %%s, version %%s: %%s messages', s.name, s.state, s.state_version, m.total) AS detail
FROM tasker_workflow_steps AS s
CROSS JOIN LATERAL (
  SELECT count(*) AS total
  FROM pgmq.q_orchestration_step_results AS q
  WHERE q.message ->> 'step_uuid' = s.workflow_step_uuid::text
    AND q.message ->> 'state_version' = s.state_version::text
) AS m
WHERE s.state IN ('enqueued_for_orchestration', 'enqueued_as_error_for_orchestration')
  AND m.total <> 1;
