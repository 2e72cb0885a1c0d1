-- Heartbeat: prolongs leases and message visibility of `[{step_uuid, state_version}]`. Claims that
-- are missing in the answer are lost. Called by queries/steps.py. Locks: steps in uuid order.
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
  v_steps := tasker_lock_claims(p_claims);
  UPDATE tasker_workflow_steps AS s
  SET lease_until = v_until
  WHERE s.workflow_step_uuid = ANY(v_steps);

  FOR v_queue IN SELECT * FROM tasker_live_messages(v_steps) LOOP
    PERFORM pgmq.set_vt(v_queue.queue, v_queue.msg_ids, p_lease_seconds);
  END LOOP;
  RETURN QUERY SELECT step_uuid, v_until FROM unnest(v_steps) AS x (step_uuid);
END
$$;
