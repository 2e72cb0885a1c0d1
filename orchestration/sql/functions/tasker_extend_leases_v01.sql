-- Heartbeat: prolongs leases and message visibility of `[{step_uuid, state_version}]`. Claims that
-- are missing in the answer are lost. Called by queries/steps.py.
-- Locks: steps in uuid order, SKIP LOCKED: a claim whose row somebody holds this moment (its own
-- report in a commit that takes long, above all) is answered with the lease it has, and the other
-- claims of the worker do not wait for it until their leases are over. Not tasker_lock_claims, which
-- waits: the kind of lock is no parameter of a statement, and EXECUTE would plan each call anew.
CREATE OR REPLACE FUNCTION tasker_extend_leases(p_claims jsonb, p_lease_seconds int)
RETURNS TABLE (workflow_step_uuid uuid, lease_until timestamptz)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_until timestamptz := tasker_now() + make_interval(secs => p_lease_seconds);
  v_queue record;
  v_steps uuid[];
BEGIN
  v_steps := ARRAY(
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
      FOR NO KEY UPDATE SKIP LOCKED
    ) AS s
  );
  UPDATE tasker_workflow_steps AS s
  SET lease_until = v_until
  WHERE s.workflow_step_uuid = ANY(v_steps);

  FOR v_queue IN SELECT * FROM tasker_live_messages(v_steps) LOOP
    PERFORM pgmq.set_vt(v_queue.queue, v_queue.msg_ids, p_lease_seconds);
  END LOOP;
  RETURN QUERY
    SELECT s.workflow_step_uuid, s.lease_until
    FROM jsonb_to_recordset(p_claims) AS c (step_uuid uuid, state_version int)
    CROSS JOIN LATERAL (
      SELECT x.workflow_step_uuid, x.lease_until
      FROM tasker_workflow_steps AS x
      WHERE x.workflow_step_uuid = c.step_uuid
        AND x.state || '' = 'in_progress'
        AND x.state_version = c.state_version
      OFFSET 0
    ) AS s;
END
$$;
