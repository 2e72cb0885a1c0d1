-- A worker that shuts down hands claims `[{step_uuid, state_version}]` back: fenced, the attempt is
-- not counted, the message is visible at once. Called by queries/steps.py. Locks: steps in order.
CREATE OR REPLACE FUNCTION tasker_release_steps(p_claims jsonb)
RETURNS TABLE (workflow_step_uuid uuid)
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_queue record;
  v_steps uuid[];
BEGIN
  PERFORM set_config('tasker.move', '{"event": "release"}', true);
  v_steps := tasker_lock_claims(p_claims);
  UPDATE tasker_workflow_steps AS s
  SET state = 'enqueued', attempts = s.attempts - 1
  WHERE s.workflow_step_uuid = ANY(v_steps);

  FOR v_queue IN SELECT * FROM tasker_live_messages(v_steps) LOOP
    PERFORM pgmq.set_vt(v_queue.queue, v_queue.msg_ids, 0);
    PERFORM tasker_notify_messages(v_queue.queue, v_queue.msg_ids);
  END LOOP;
  RETURN QUERY SELECT * FROM unnest(v_steps);
END
$$;
