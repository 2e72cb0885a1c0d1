-- Second half of the result transaction: moves reported steps to what was decided, one UPDATE.
-- p_delays: seconds until the next attempt, counted from the failure; null unless waiting_for_retry.
-- p_failures: results that the engine puts in place of the handler's; usually null.
-- Announces the earliest due time to the due-work loops. The caller holds tasks and steps.
CREATE OR REPLACE FUNCTION tasker_settle_steps(
  p_steps uuid[],
  p_states text[],
  p_delays float8[],
  p_failures jsonb[]
)
RETURNS timestamptz
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
DECLARE
  v_earliest timestamptz;
BEGIN
  WITH settled AS (
    UPDATE tasker_workflow_steps AS s
    SET
      state = o.state,
      backoff_request_seconds = coalesce(o.delay, s.backoff_request_seconds),
      next_retry_at = coalesce(s.last_failure_at, tasker_now()) + make_interval(secs => o.delay),
      last_failure_at = CASE o.state
        WHEN 'error' THEN coalesce(s.last_failure_at, tasker_now())
        ELSE s.last_failure_at
      END,
      results = coalesce(o.failure, s.results)
    FROM (
      SELECT x.row_id, u.state, u.delay, u.failure
      FROM unnest(p_steps, p_states, p_delays, p_failures) AS u (step, state, delay, failure)
      CROSS JOIN LATERAL (
        SELECT w.ctid AS row_id
        FROM tasker_workflow_steps AS w
        WHERE w.workflow_step_uuid = u.step
        OFFSET 0
      ) AS x
    ) AS o
    WHERE s.ctid = o.row_id
    RETURNING s.next_retry_at
  )
  SELECT min(x.next_retry_at) INTO v_earliest FROM settled AS x;
  IF v_earliest IS NOT NULL THEN
    PERFORM pg_notify('tasker_due_work', jsonb_build_object('due_at', v_earliest)::text);
  END IF;
  RETURN v_earliest;
END
$$;
