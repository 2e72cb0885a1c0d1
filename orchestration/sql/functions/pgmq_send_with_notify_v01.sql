-- Sends one message and says so on the channel of the queue's namespace and on the global one; all
-- of it happens when the caller's transaction commits, or not at all.
CREATE FUNCTION pgmq_send_with_notify(
  queue_name text,
  message jsonb,
  delay int DEFAULT 0
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  ready_at timestamptz := clock_timestamp() + make_interval(secs => delay);
  namespace text := extract_queue_namespace(queue_name);
  msg_id bigint;
  payload text;
BEGIN
  SELECT s.id
  INTO msg_id
  FROM pgmq.send(queue_name, message, NULL::jsonb, ready_at) AS s (id);
  payload := json_build_object(
    'event_type', 'message_ready',
    'msg_id', msg_id,
    'queue_name', queue_name,
    'namespace', namespace,
    'ready_at', ready_at,
    'delay_seconds', delay
  );
  PERFORM pg_notify('pgmq_message_ready.' || namespace, payload);
  PERFORM pg_notify('pgmq_message_ready', payload);
  RETURN msg_id;
END
$$;
