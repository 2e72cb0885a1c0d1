-- Whether a step may run now, from what is known about it. The documented form of the rule: the
-- set functions carry it inlined, and a test holds them to this one. A step in `error` is never
-- ready.
CREATE FUNCTION evaluate_step_state_readiness(
  current_state text,
  dependencies_satisfied boolean,
  retry_eligible boolean,
  next_retry_at timestamptz
) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT current_state IN ('pending', 'waiting_for_retry')
    AND dependencies_satisfied
    AND retry_eligible
    AND (next_retry_at IS NULL OR next_retry_at <= tasker_now())
$$;
