-- Archives a message that nobody can use and opens a DLQ entry about it. Called by
-- tasker_tidy_unclaimed and by messaging (poison and malformed messages).
CREATE OR REPLACE FUNCTION tasker_bury_message(p_queue text, p_msg_id bigint, p_why text)
RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  v_message jsonb;
  v_task uuid;
BEGIN
  EXECUTE format('SELECT message FROM pgmq.%I WHERE msg_id = $1', 'q_' || p_queue)
    INTO v_message
    USING p_msg_id;
  IF NOT pgmq.archive(p_queue, p_msg_id) THEN
    RETURN false;
  END IF;
  IF v_message ->> 'task_uuid' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN
    SELECT t.task_uuid INTO v_task
    FROM tasker_tasks AS t
    WHERE t.task_uuid = (v_message ->> 'task_uuid')::uuid;
  END IF;
  INSERT INTO tasker_tasks_dlq (
    task_uuid, dlq_reason, queue_name, msg_id, message, metadata
  )
  VALUES (
    v_task, 'poison_message', p_queue, p_msg_id, v_message, jsonb_build_object('why', p_why)
  )
  ON CONFLICT (task_uuid) WHERE resolution_status = 'pending' DO NOTHING;
  RETURN true;
END
$$;
