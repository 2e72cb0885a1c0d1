-- I7: a step runs exactly when it has a lease, and waits for a retry exactly when it has a due time.
-- Rows that never moved are excepted: whoever inserts may leave them out.
-- Caller: queries.invariants.violations
SELECT
  s.workflow_step_uuid AS object_uuid,
  format(
    'step %%s %%s, lease_until %%s, next_retry_at %%s', s.name, s.state, s.lease_until, s.next_retry_at
  ) AS detail
FROM tasker_workflow_steps AS s
WHERE s.state_version > 1
  AND (
    (s.state = 'in_progress') <> (s.lease_until IS NOT NULL)
    OR (s.state = 'waiting_for_retry') <> (s.next_retry_at IS NOT NULL)
  );
