-- Tasks in an active state that showed no sign of life for longer than the limit. Signs of life: the
-- entry of the task or of one of its in-flight steps into its state, and live leases. A task whose
-- steps are with an orchestrator or hold an expired lease is not listed: their messages and the
-- reaper bring it on. processor_uuid: who made the last move.
CREATE FUNCTION find_stuck_tasks(p_timeout_minutes int DEFAULT 10) RETURNS TABLE (
  task_uuid uuid,
  current_state text,
  processor_uuid uuid,
  stuck_duration_minutes int,
  reason text
)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  moment timestamptz := tasker_now();
  latest timestamptz := moment - make_interval(mins => p_timeout_minutes);
BEGIN
  RETURN QUERY
  SELECT
    t.task_uuid,
    t.state::text,
    (
      SELECT h.processor_uuid
      FROM tasker_task_transitions AS h
      WHERE h.task_uuid = t.task_uuid
        AND h.sort_key = t.state_version
    ),
    floor(extract(epoch FROM moment - greatest(t.state_entered_at, f.last_entry)) / 60)::int,
    CASE
      WHEN t.state <> 'steps_in_process' THEN 'transient_state'
      WHEN f.in_flight = 0 THEN 'nothing_in_flight'
      ELSE 'no_worker'
    END
  FROM tasker_tasks AS t
  CROSS JOIN LATERAL (
    SELECT
      count(*) AS in_flight,
      count(*) FILTER (WHERE s.state = 'enqueued') AS enqueued,
      max(s.state_entered_at) AS last_entry,
      coalesce(bool_or(s.lease_until > moment), false) AS has_live_lease
    FROM tasker_workflow_steps AS s
    WHERE s.task_uuid = t.task_uuid
      AND s.state IN (
        'enqueued', 'in_progress', 'enqueued_for_orchestration',
        'enqueued_as_error_for_orchestration'
      )
  ) AS f
  WHERE t.state IN ('initializing', 'enqueuing_steps', 'evaluating_results', 'steps_in_process')
    AND t.created_at < latest -- as the index has it
    AND t.state_entered_at < latest
    AND (f.last_entry IS NULL OR f.last_entry < latest)
    AND NOT f.has_live_lease
    AND (t.state <> 'steps_in_process' OR f.in_flight = f.enqueued)
  ORDER BY t.state_entered_at, t.task_uuid;
END
$$;
