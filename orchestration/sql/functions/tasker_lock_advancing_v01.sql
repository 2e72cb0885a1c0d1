-- Locks and returns the tasks of successful reports that may go on in the transaction of the report:
-- those that nobody holds, are waiting for their steps, and have p_most_steps steps at most, because
-- going on looks at all of them. Whoever is held or larger is left to an orchestrator.
-- Called by tasker_report_steps. Locks: tasks in uuid order, SKIP LOCKED: a report waits for nobody.
CREATE OR REPLACE FUNCTION tasker_lock_advancing(p_reports jsonb, p_most_steps int)
RETURNS uuid[]
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
BEGIN
  RETURN ARRAY(
    SELECT t.task_uuid
    FROM (
      SELECT DISTINCT s.task_uuid
      FROM jsonb_to_recordset(p_reports) AS r (step_uuid uuid, success boolean)
      CROSS JOIN LATERAL (
        SELECT x.task_uuid
        FROM tasker_workflow_steps AS x
        WHERE x.workflow_step_uuid = r.step_uuid
        OFFSET 0
      ) AS s
      WHERE r.success
      ORDER BY s.task_uuid
    ) AS m
    CROSS JOIN LATERAL (
      SELECT x.task_uuid
      FROM tasker_tasks AS x
      WHERE x.task_uuid = m.task_uuid
        AND x.state || '' = 'steps_in_process'
        AND NOT EXISTS (
          SELECT
          FROM tasker_workflow_steps AS y
          WHERE y.task_uuid = x.task_uuid
          OFFSET p_most_steps
        )
      FOR NO KEY UPDATE SKIP LOCKED
    ) AS t
  );
END
$$;
