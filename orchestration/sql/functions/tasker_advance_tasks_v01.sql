-- What lifecycle/task_finalizer.py does with tasks of which steps have just completed, without the way
-- through an orchestrator: ready steps are enqueued, every hop is written. A test holds the two to each
-- other. For tasks in steps_in_process whose number of steps is below the limit in flight.
-- taken_steps: those that p_worker has claimed by that (tasker_enqueue_ready_steps).
-- Called by tasker_report_steps, which says who moves. Locks: the caller holds the tasks.
CREATE OR REPLACE FUNCTION tasker_advance_tasks(
  p_tasks uuid[],
  p_take int,
  p_worker uuid,
  p_lease_seconds int
)
RETURNS TABLE (task_uuid uuid, task_state varchar, enqueued_steps int, taken_steps uuid[])
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
DECLARE
  v_tasks uuid[];
  v_states text[];
  v_ready uuid[];
  v_enqueued uuid[];
  v_steps uuid[];
  v_is_taken boolean[];
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
    SELECT array_agg(e.task_uuid), array_agg(e.workflow_step_uuid), array_agg(e.is_taken)
    INTO v_enqueued, v_steps, v_is_taken
    FROM tasker_enqueue_ready_steps(v_ready, NULL, p_take, p_worker, p_lease_seconds) AS e;
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
    SELECT x.task_uuid, x.state::varchar, f.enqueued, f.taken
    FROM unnest(v_tasks, v_states) AS x (task_uuid, state)
    CROSS JOIN LATERAL (
      SELECT
        count(*)::int AS enqueued,
        coalesce(array_agg(e.step_uuid) FILTER (WHERE e.is_taken), '{}') AS taken
      FROM unnest(v_enqueued, v_steps, v_is_taken) AS e (task_uuid, step_uuid, is_taken)
      WHERE e.task_uuid = x.task_uuid
    ) AS f;
END
$$;
