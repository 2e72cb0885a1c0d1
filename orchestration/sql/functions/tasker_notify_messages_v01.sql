-- Announces messages that became visible without being sent: released or taken-back steps.
CREATE OR REPLACE FUNCTION tasker_notify_messages(p_queue text, p_msg_ids bigint[])
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  v_namespace text := extract_queue_namespace(p_queue);
  v_payload text := jsonb_build_object(
    'event_type', 'batch_ready',
    'msg_ids', p_msg_ids,
    'queue_name', p_queue,
    'namespace', v_namespace,
    'message_count', array_length(p_msg_ids, 1),
    'ready_at', clock_timestamp(),
    'delay_seconds', 0
  )::text;
BEGIN
  IF octet_length(v_payload) > 7800 THEN
    v_payload := (v_payload::jsonb - 'msg_ids')::text;
  END IF;
  PERFORM pg_notify('pgmq_message_ready.' || v_namespace, v_payload);
  PERFORM pg_notify('pgmq_message_ready', v_payload);
END
$$;
