-- Ends a stale task in `error` as a compare-and-set: true if it moved; false if it is in another
-- state, no longer stale, waits for capacity or a person, has a result on its way, or its template
-- forbids it. Steps that wait for a worker or are with one end in `error` (their workers' reports are
-- refused from now on), their messages are deleted; due retries go back to `pending`; `reset` revives
-- all of it. Called by tasker_settle_stale_task.
-- Locks: the task, then its unfinished steps in uuid order, then their messages.
CREATE FUNCTION transition_stale_task_to_error(
  input_task_uuid uuid,
  p_expected_state text,
  p_reason text,
  p_deps int DEFAULT 60,
  p_retry int DEFAULT 30,
  p_in_process int DEFAULT 30,
  p_max_lifetime_hours int DEFAULT 0
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
DECLARE
  moment timestamptz;
  stale record;
  lost uuid[];
  announced text := current_setting('tasker.move', true);
BEGIN
  PERFORM
  FROM tasker_tasks AS t
  WHERE t.task_uuid = input_task_uuid AND t.state = p_expected_state
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM
  FROM tasker_workflow_steps AS s
  WHERE s.task_uuid = input_task_uuid
    AND s.state IN (
      'enqueued', 'in_progress', 'enqueued_for_orchestration',
      'enqueued_as_error_for_orchestration', 'waiting_for_retry'
    )
  ORDER BY s.workflow_step_uuid
  FOR NO KEY UPDATE;
  -- Read after the locks: a claim, a report or a reset may have come first.
  SELECT m.state, m.minutes_in_state, m.threshold_minutes, m.age_minutes, m.max_age_minutes
  INTO stale
  FROM tasker_measure_staleness(
    ARRAY[input_task_uuid], 0, p_deps, p_retry, p_in_process, p_max_lifetime_hours
  ) AS m
  WHERE m.state = p_expected_state
    AND m.share >= 1
    AND m.may_fail
    AND NOT m.is_reported;
  IF NOT FOUND THEN
    RETURN false;
  END IF;

  moment := tasker_now();
  PERFORM set_config(
    'tasker.move',
    (
      jsonb_build_object('actor', current_user)
      || coalesce(nullif(announced, '')::jsonb, '{}')
      || jsonb_build_object(
        'event', 'timeout',
        'reason', p_reason,
        'minutes_in_state', stale.minutes_in_state,
        'threshold_minutes', stale.threshold_minutes
      )
    )::text,
    true
  );
  lost := ARRAY(
    SELECT s.workflow_step_uuid
    FROM tasker_workflow_steps AS s
    WHERE s.task_uuid = input_task_uuid AND s.state IN ('enqueued', 'in_progress')
  );
  PERFORM tasker_delete_step_messages(lost);
  UPDATE tasker_workflow_steps AS s
  SET
    state = 'error',
    last_failure_at = moment,
    results = tasker_engine_failure(
      s.workflow_step_uuid, 'task_timeout', 'TASK_TIMEOUT',
      format(
        'The task timed out (%s) while this step was %s: %s of %s minutes in state %s, age %s minutes%s',
        p_reason, s.state, stale.minutes_in_state, stale.threshold_minutes, stale.state,
        stale.age_minutes, coalesce(format(' of %s', stale.max_age_minutes), '')
      )
    )
  WHERE s.workflow_step_uuid = ANY(lost);
  UPDATE tasker_workflow_steps AS s
  SET state = 'pending'
  WHERE s.task_uuid = input_task_uuid AND s.state = 'waiting_for_retry';
  UPDATE tasker_tasks AS t SET state = 'error' WHERE t.task_uuid = input_task_uuid;
  PERFORM set_config('tasker.move', coalesce(announced, ''), true);
  RETURN true;
END
$$;
