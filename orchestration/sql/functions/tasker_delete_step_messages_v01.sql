-- Deletes the live messages of steps that leave the queue by an operator's hand. Called by
-- lifecycle/operator_actions.py before the steps move. The caller holds the steps.
CREATE OR REPLACE FUNCTION tasker_delete_step_messages(p_steps uuid[])
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  v_queue record;
BEGIN
  FOR v_queue IN SELECT * FROM tasker_live_messages(p_steps) LOOP
    PERFORM pgmq.delete(v_queue.queue, v_queue.msg_ids);
  END LOOP;
END
$$;
