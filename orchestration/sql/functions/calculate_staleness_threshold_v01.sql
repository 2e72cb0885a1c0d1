-- After how many minutes in a state a task counts as stale: what its template says, else the
-- argument; one day for states that wait for capacity or for a person.
CREATE FUNCTION calculate_staleness_threshold(
  state text,
  configuration jsonb,
  p_deps int DEFAULT 60,
  p_retry int DEFAULT 30,
  p_in_process int DEFAULT 30
) RETURNS int
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT CASE state
    WHEN 'waiting_for_dependencies' THEN coalesce(
      (configuration #>> '{lifecycle,max_waiting_for_dependencies_minutes}')::int, p_deps
    )
    WHEN 'waiting_for_retry' THEN coalesce(
      (configuration #>> '{lifecycle,max_waiting_for_retry_minutes}')::int, p_retry
    )
    WHEN 'steps_in_process' THEN coalesce(
      (configuration #>> '{lifecycle,max_steps_in_process_minutes}')::int, p_in_process
    )
    ELSE 1440
  END
$$;
