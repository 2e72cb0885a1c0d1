-- Deals with messages that a claim read but could not turn into claims (engine.md 13.2, point 4).
-- Called by tasker_claim_steps, in its transaction.
CREATE OR REPLACE FUNCTION tasker_tidy_unclaimed(
  p_queue text,
  p_msg_ids bigint[],
  p_step_uuids uuid[],
  p_claimed uuid[]
)
RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  v_message record;
BEGIN
  FOR v_message IN
    SELECT m.msg_id, m.step_uuid, s.state, s.queue_msg_id, s.lease_until
    FROM unnest(p_msg_ids, p_step_uuids) AS m (msg_id, step_uuid)
    LEFT JOIN tasker_workflow_steps AS s ON s.workflow_step_uuid = m.step_uuid
    WHERE m.step_uuid IS NULL
      OR NOT m.step_uuid = ANY(coalesce(p_claimed, '{}'))
      OR s.queue_msg_id IS DISTINCT FROM m.msg_id
  LOOP
    IF v_message.step_uuid IS NULL THEN
      PERFORM tasker_bury_message(p_queue, v_message.msg_id, 'malformed');
    ELSIF v_message.queue_msg_id = v_message.msg_id AND v_message.state = 'enqueued' THEN
      -- Somebody holds the step this moment; look again soon.
      PERFORM pgmq.set_vt(p_queue, v_message.msg_id, 1);
    ELSIF v_message.queue_msg_id = v_message.msg_id AND v_message.state = 'in_progress' THEN
      -- Claimed already, its visibility ran out: the reaper decides when the lease ends.
      PERFORM pgmq.set_vt(
        p_queue, v_message.msg_id, v_message.lease_until + interval '1 second'
      );
    ELSE
      PERFORM pgmq.delete(p_queue, v_message.msg_id);
    END IF;
  END LOOP;
END
$$;
