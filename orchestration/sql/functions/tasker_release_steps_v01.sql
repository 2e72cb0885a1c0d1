-- A worker that shuts down hands claims `[{step_uuid, state_version}]` back: fenced, the attempt is
-- not counted, the message is visible at once. Called by queries/steps.py. Locks: steps in order.
CREATE OR REPLACE FUNCTION tasker_release_steps(p_claims jsonb)
RETURNS TABLE (workflow_step_uuid uuid)
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_steps uuid[];
BEGIN
  PERFORM set_config('tasker.move', '{"event": "release"}', true);
  v_steps := tasker_lock_claims(p_claims);
  UPDATE tasker_workflow_steps AS s
  SET state = 'enqueued', attempts = s.attempts - 1
  WHERE s.workflow_step_uuid = ANY(v_steps);

  PERFORM tasker_show_messages_again(v_steps);
  RETURN QUERY SELECT * FROM unnest(v_steps);
END
$$;
