-- What lifecycle/task_finalizer.py does with tasks of which steps have just completed, without the way
-- through an orchestrator: ready steps are enqueued, every hop is written. A test holds the two to each
-- other. For tasks in steps_in_process whose number of steps is below the limit in flight.
-- Called by tasker_report_steps, which says who moves. Locks: the caller holds the tasks.
CREATE OR REPLACE FUNCTION tasker_advance_tasks(p_tasks uuid[])
RETURNS TABLE (task_uuid uuid, task_state varchar, enqueued_steps int)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
DECLARE
  v_tasks uuid[];
  v_states text[];
  v_ready uuid[];
  v_enqueued uuid[] := '{}';
BEGIN
  SELECT
    array_agg(c.task_uuid),
    array_agg(
      CASE
        WHEN c.ready_steps + c.in_progress_steps + c.enqueued_steps > 0 THEN 'steps_in_process'
        WHEN c.waiting_for_retry_steps > 0 THEN 'waiting_for_retry'
        WHEN c.blocked_steps > 0 THEN 'blocked_by_failures'
        WHEN c.execution_status = 'all_complete' THEN 'complete'
        ELSE 'waiting_for_dependencies'
      END
    ),
    array_agg(c.task_uuid) FILTER (WHERE c.ready_steps > 0)
  INTO v_tasks, v_states, v_ready
  FROM get_task_execution_contexts_batch(p_tasks) AS c;

  IF v_ready IS NOT NULL THEN
    v_enqueued := ARRAY(SELECT e.task_uuid FROM tasker_enqueue_ready_steps(v_ready) AS e);
  END IF;
  PERFORM tasker_move_tasks(
    v_tasks,
    ARRAY(
      SELECT 'evaluating_results:step_completed'
        || CASE WHEN x.task_uuid = ANY(v_ready) THEN ',enqueuing_steps' ELSE '' END
      FROM unnest(v_tasks) WITH ORDINALITY AS x (task_uuid, place)
      ORDER BY x.place
    ),
    v_states
  );
  RETURN QUERY
    SELECT
      x.task_uuid,
      x.state::varchar,
      (SELECT count(*)::int FROM unnest(v_enqueued) AS e (task_uuid) WHERE e.task_uuid = x.task_uuid)
    FROM unnest(v_tasks, v_states) AS x (task_uuid, state);
END
$$;
