-- Deletes finished tasks, oldest first, with everything that hangs on them; answers the rows of each
-- table. Tasks with a pending DLQ entry stay, closed entries outlive their task. Called by
-- lifecycle/retention.py in a transaction of its own.
-- The foreign keys are checked, not cascaded: Django makes them so. Children go first, by index.
-- Locks: the tasks (those held by somebody wait for the next batch), then their steps in uuid order,
-- so that a late report of a cancelled task waits for us and we for it in the same order.
CREATE FUNCTION tasker_purge_tasks(p_before timestamptz, p_limit int)
RETURNS TABLE (
  tasks bigint,
  steps bigint,
  edges bigint,
  task_transitions bigint,
  step_transitions bigint,
  result_audit bigint,
  annotations bigint,
  detached_entries bigint
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
DECLARE
  v_tasks uuid[];
  v_steps uuid[];
BEGIN
  v_tasks := ARRAY(
    SELECT t.task_uuid
    FROM tasker_tasks AS t
    WHERE t.completed_at < p_before
      AND NOT EXISTS (
        SELECT FROM tasker_tasks_dlq AS d
        WHERE d.task_uuid = t.task_uuid AND d.resolution_status = 'pending'
      )
    ORDER BY t.completed_at
    LIMIT p_limit
    FOR UPDATE OF t SKIP LOCKED
  );
  -- An entry may have been opened between the look and the lock.
  v_tasks := ARRAY(
    SELECT u.task_uuid
    FROM unnest(v_tasks) AS u (task_uuid)
    WHERE NOT EXISTS (
      SELECT FROM tasker_tasks_dlq AS d
      WHERE d.task_uuid = u.task_uuid AND d.resolution_status = 'pending'
    )
  );
  v_steps := ARRAY(
    SELECT s.workflow_step_uuid
    FROM tasker_workflow_steps AS s
    WHERE s.task_uuid = ANY(v_tasks)
    ORDER BY s.workflow_step_uuid
    FOR UPDATE
  );

  DELETE FROM tasker_workflow_step_result_audit AS a WHERE a.workflow_step_uuid = ANY(v_steps);
  GET DIAGNOSTICS result_audit = ROW_COUNT;
  DELETE FROM tasker_workflow_step_transitions AS h WHERE h.workflow_step_uuid = ANY(v_steps);
  GET DIAGNOSTICS step_transitions = ROW_COUNT;
  DELETE FROM tasker_workflow_step_edges AS e WHERE e.from_step_uuid = ANY(v_steps);
  GET DIAGNOSTICS edges = ROW_COUNT;
  DELETE FROM tasker_workflow_steps AS s WHERE s.workflow_step_uuid = ANY(v_steps);
  GET DIAGNOSTICS steps = ROW_COUNT;
  DELETE FROM tasker_task_transitions AS h WHERE h.task_uuid = ANY(v_tasks);
  GET DIAGNOSTICS task_transitions = ROW_COUNT;
  DELETE FROM tasker_task_annotations AS n WHERE n.task_uuid = ANY(v_tasks);
  GET DIAGNOSTICS annotations = ROW_COUNT;
  UPDATE tasker_tasks_dlq AS d SET task_uuid = NULL WHERE d.task_uuid = ANY(v_tasks);
  GET DIAGNOSTICS detached_entries = ROW_COUNT;
  DELETE FROM tasker_tasks AS t WHERE t.task_uuid = ANY(v_tasks);
  GET DIAGNOSTICS tasks = ROW_COUNT;
  -- Checked here and not at COMMIT: under this function's settings, and a table of somebody else
  -- that still points to a task is named by the error of this statement.
  SET CONSTRAINTS ALL IMMEDIATE;
  RETURN NEXT;
END
$$;
