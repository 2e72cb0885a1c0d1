-- When a step that failed may run again, measured from the failure, so that a long handler does not
-- consume its own back-off; null when there was no failure and no request. STABLE and a single
-- expression: the planner inlines it into the readiness functions.
CREATE FUNCTION calculate_step_next_retry_time(
  backoff_request_seconds float8,
  last_attempted_at timestamptz,
  failure_time timestamptz,
  attempts int,
  p_base_seconds float8 DEFAULT 1,
  p_max_seconds float8 DEFAULT 30
) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT CASE
    WHEN backoff_request_seconds IS NOT NULL
      THEN coalesce(failure_time, last_attempted_at)
        + make_interval(secs => backoff_request_seconds)
    WHEN failure_time IS NOT NULL
      THEN failure_time + make_interval(secs => least(
        -- 2^62 seconds is beyond any cap, and keeps float8 from overflowing
        p_base_seconds * 2 ^ (least(greatest(coalesce(attempts, 1), 1), 63) - 1),
        p_max_seconds
      ))
  END
$$;
