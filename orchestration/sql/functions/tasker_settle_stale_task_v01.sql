-- Does for one stale task what its template wants: an entry in the DLQ, the end in `error`, or both,
-- and tells channel task_staleness_detected. No row: somebody else holds the task or one of its
-- unfinished steps (a sign of life), or there is nothing to do for it any more. Called by
-- lifecycle/staleness.py, one transaction a task, and by detect_and_transition_stale_tasks.
-- A transition that raises does not undo the entry, which then says why: a person is needed.
-- Locks: the task, then its unfinished steps, both SKIP LOCKED, so it waits for nobody.
CREATE FUNCTION tasker_settle_stale_task(
  input_task_uuid uuid,
  p_deps int,
  p_retry int,
  p_in_process int,
  p_max_lifetime_hours int,
  p_notify boolean
) RETURNS TABLE (
  task_uuid uuid,
  namespace text,
  name text,
  current_state text,
  time_in_state_minutes numeric,
  threshold_minutes int,
  action_taken text,
  moved_to_dlq boolean,
  transition_success boolean,
  reason text,
  failure text
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  unfinished CONSTANT text[] := '{enqueued,in_progress,enqueued_for_orchestration,enqueued_as_error_for_orchestration,waiting_for_retry}';
  held uuid[];
  stale record;
  v_reason text;
  v_failure text;
  entry uuid;
  is_moved boolean := false;
  v_action text;
BEGIN
  PERFORM
  FROM tasker_tasks AS t
  WHERE t.task_uuid = input_task_uuid
  FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  held := ARRAY(
    SELECT s.workflow_step_uuid
    FROM tasker_workflow_steps AS s
    WHERE s.task_uuid = input_task_uuid AND s.state = ANY(unfinished)
    ORDER BY s.workflow_step_uuid
    FOR NO KEY UPDATE SKIP LOCKED
  );
  PERFORM
  FROM tasker_workflow_steps AS s
  WHERE s.task_uuid = input_task_uuid
    AND s.state = ANY(unfinished)
    AND s.workflow_step_uuid <> ALL(held);
  IF FOUND THEN
    RETURN;
  END IF;
  -- Read after the locks.
  SELECT m.*
  INTO stale
  FROM tasker_measure_staleness(
    ARRAY[input_task_uuid], 0, p_deps, p_retry, p_in_process, p_max_lifetime_hours
  ) AS m
  WHERE m.is_actionable;
  IF NOT FOUND THEN
    RETURN;
  END IF;

  v_reason := tasker_staleness_reason(stale.task_uuid, stale.state, stale.namespace);
  IF stale.may_enter THEN
    entry := create_dlq_entry(
      input_task_uuid,
      v_reason,
      jsonb_build_object(
        'minutes_in_state', stale.minutes_in_state,
        'threshold_minutes', stale.threshold_minutes,
        'age_minutes', stale.age_minutes,
        'max_age_minutes', stale.max_age_minutes
      )
    );
  END IF;
  IF stale.may_fail THEN
    BEGIN
      is_moved := transition_stale_task_to_error(
        input_task_uuid, stale.state, v_reason,
        p_deps, p_retry, p_in_process, p_max_lifetime_hours
      );
    EXCEPTION
      WHEN deadlock_detected OR serialization_failure OR lock_not_available THEN
        RAISE;
      WHEN OTHERS THEN
        v_failure := SQLERRM;
        UPDATE tasker_tasks_dlq AS d
        SET metadata = d.metadata || jsonb_build_object('transition_error', v_failure)
        WHERE d.dlq_entry_uuid = entry;
    END;
  ELSIF entry IS NULL THEN
    RETURN; -- a message about the task was buried at this very moment: it has an entry
  END IF;
  v_action := CASE
    WHEN is_moved AND entry IS NOT NULL THEN 'transitioned_to_dlq_and_error'
    WHEN is_moved THEN 'transitioned_to_error_only'
    WHEN stale.may_fail THEN 'transition_failed'
    ELSE 'moved_to_dlq_only'
  END;
  IF p_notify THEN
    PERFORM pg_notify(
      'task_staleness_detected',
      jsonb_build_object(
        'task_uuid', stale.task_uuid,
        'state', stale.state,
        'minutes_in_state', stale.minutes_in_state,
        'action_taken', v_action
      )::text
    );
  END IF;
  RETURN QUERY
  SELECT
    stale.task_uuid, stale.namespace, stale.name, stale.state, stale.minutes_in_state,
    stale.threshold_minutes, v_action, entry IS NOT NULL, is_moved, v_reason, v_failure;
END
$$;
