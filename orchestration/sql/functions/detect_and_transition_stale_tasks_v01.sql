-- One round of the detector in one transaction, for people at psql; orchestrators settle each task in
-- a transaction of its own (lifecycle/staleness.py). One row for each task that was acted upon, or
-- would be: the dry run changes nothing and tells nobody.
CREATE FUNCTION detect_and_transition_stale_tasks(
  p_dry_run boolean DEFAULT true,
  p_batch int DEFAULT 100,
  p_deps int DEFAULT 60,
  p_retry int DEFAULT 30,
  p_in_process int DEFAULT 30,
  p_max_lifetime_hours int DEFAULT 0,
  p_notify boolean DEFAULT true
) RETURNS TABLE (
  task_uuid uuid,
  namespace text,
  name text,
  current_state text,
  time_in_state_minutes numeric,
  threshold_minutes int,
  action_taken text,
  moved_to_dlq boolean,
  transition_success boolean
)
LANGUAGE plpgsql VOLATILE
AS $$
#variable_conflict use_column
DECLARE
  stale record;
BEGIN
  FOR stale IN
    SELECT s.*
    FROM get_stale_tasks_for_dlq(
      p_batch, p_deps, p_retry, p_in_process, p_max_lifetime_hours
    ) AS s
  LOOP
    IF p_dry_run THEN
      RETURN QUERY
      SELECT
        stale.task_uuid, stale.namespace, stale.name, stale.current_state,
        stale.time_in_state_minutes, stale.threshold_minutes,
        'would_transition_to_dlq_and_error', false, false;
    ELSE
      RETURN QUERY
      SELECT
        x.task_uuid, x.namespace, x.name, x.current_state, x.time_in_state_minutes,
        x.threshold_minutes, x.action_taken, x.moved_to_dlq, x.transition_success
      FROM tasker_settle_stale_task(
        stale.task_uuid, p_deps, p_retry, p_in_process, p_max_lifetime_hours, p_notify
      ) AS x;
    END IF;
  END LOOP;
END
$$;
