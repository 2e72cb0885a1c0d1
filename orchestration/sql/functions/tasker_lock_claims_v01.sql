-- Locks those of the claims `[{step_uuid, state_version}]` that are still held, in uuid order, and
-- returns their steps. Called by tasker_release_steps and tasker_report_steps.
CREATE OR REPLACE FUNCTION tasker_lock_claims(p_claims jsonb)
RETURNS uuid[]
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
  RETURN ARRAY(
    SELECT s.workflow_step_uuid
    FROM (
      SELECT *
      FROM jsonb_to_recordset(p_claims) AS x (step_uuid uuid, state_version int)
      ORDER BY x.step_uuid
    ) AS c
    CROSS JOIN LATERAL (
      SELECT x.workflow_step_uuid
      FROM tasker_workflow_steps AS x
      WHERE x.workflow_step_uuid = c.step_uuid
        AND x.state || '' = 'in_progress'
        AND x.state_version = c.state_version
      FOR NO KEY UPDATE
    ) AS s
  );
END
$$;
