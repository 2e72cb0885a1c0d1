-- Why a stale task does not move, in the words of the DLQ. Called by the functions of the detector.
-- A worker serves a namespace while its row says so and it was heard of within five minutes: one
-- that was killed and held no liveness lock leaves a row that says "running" for ever.
CREATE FUNCTION tasker_staleness_reason(input_task_uuid uuid, p_state text, p_namespace text)
RETURNS text
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
BEGIN
  IF p_state = 'steps_in_process' AND (
    SELECT bool_and(s.state = 'enqueued')
    FROM tasker_workflow_steps AS s
    WHERE s.task_uuid = input_task_uuid
      AND s.state IN (
        'enqueued', 'in_progress', 'enqueued_for_orchestration',
        'enqueued_as_error_for_orchestration'
      )
  ) AND NOT EXISTS (
    SELECT
    FROM tasker_workers AS w
    WHERE w.kind = 'worker'
      AND w.status = 'running'
      AND w.last_heartbeat_at > tasker_now() - interval '5 minutes'
      AND w.namespaces ? p_namespace
  ) THEN
    RETURN 'worker_unavailable';
  END IF;
  IF p_state = 'blocked_by_failures' AND EXISTS (
    SELECT
    FROM tasker_workflow_steps AS s
    WHERE s.task_uuid = input_task_uuid
      AND s.state IN ('error', 'pending', 'waiting_for_retry')
      AND s.attempts > 0
      AND s.attempts >= s.max_attempts
  ) THEN
    RETURN 'max_retries_exceeded';
  END IF;
  IF p_state = 'waiting_for_dependencies' THEN
    BEGIN
      PERFORM calculate_dependency_levels(input_task_uuid);
    EXCEPTION
      WHEN raise_exception THEN
        RETURN 'dependency_cycle_detected';
    END;
  END IF;
  RETURN 'staleness_timeout';
END
$$;
