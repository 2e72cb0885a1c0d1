-- The earliest moment at which something is due: a retry, or the end of a lease. Two index probes:
-- the settings leave a plan made on empty tables no other way than the order of the index.
CREATE FUNCTION tasker_next_due_at() RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
BEGIN
  RETURN least(
    (
      SELECT s.next_retry_at
      FROM tasker_workflow_steps AS s
      WHERE s.state = 'waiting_for_retry'
        AND s.retryable
        AND s.attempts < s.max_attempts
      ORDER BY s.next_retry_at
      LIMIT 1
    ),
    (
      SELECT s.lease_until
      FROM tasker_workflow_steps AS s
      WHERE s.state = 'in_progress'
      ORDER BY s.lease_until
      LIMIT 1
    )
  );
END
$$;
