-- The earliest moment at which something is due: a retry, or the end of a lease. Two index probes.
CREATE FUNCTION tasker_next_due_at() RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
BEGIN
  RETURN least(
    (
      SELECT min(s.next_retry_at)
      FROM tasker_workflow_steps AS s
      WHERE s.state = 'waiting_for_retry'
        AND s.retryable
        AND s.attempts < s.max_attempts
    ),
    (
      SELECT min(s.lease_until)
      FROM tasker_workflow_steps AS s
      WHERE s.state = 'in_progress'
    )
  );
END
$$;
