-- Sends many messages, one notification per channel, and returns their ids in the order given.
-- Without messages it does nothing. A payload near PostgreSQL's limit of 8,000 bytes leaves the ids
-- out: a notification is a hint, whoever wakes reads the queue.
CREATE FUNCTION pgmq_send_batch_with_notify(
  queue_name text,
  messages jsonb[],
  delay int DEFAULT 0
) RETURNS SETOF bigint
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  ready_at timestamptz := clock_timestamp() + make_interval(secs => delay);
  namespace text := extract_queue_namespace(queue_name);
  msg_ids bigint[];
  payload json;
BEGIN
  IF messages IS NULL OR cardinality(messages) = 0 THEN
    RETURN;
  END IF;
  -- Four arguments: the shorter forms are one more dynamic statement each.
  msg_ids := ARRAY(
    SELECT s.id FROM pgmq.send_batch(queue_name, messages, NULL::jsonb[], ready_at) AS s (id)
  );
  IF current_setting('tasker.is_quiet', true) = 'true' THEN -- the sender reads them himself
    RETURN QUERY SELECT unnest(msg_ids);
    RETURN;
  END IF;
  payload := json_build_object(
    'event_type', 'batch_ready',
    'msg_ids', msg_ids,
    'queue_name', queue_name,
    'namespace', namespace,
    'message_count', cardinality(msg_ids),
    'ready_at', ready_at,
    'delay_seconds', delay
  );
  IF octet_length(payload::text) > 7800 THEN
    payload := (payload::jsonb - 'msg_ids')::json;
  END IF;
  PERFORM pg_notify('pgmq_message_ready.' || namespace, payload::text);
  PERFORM pg_notify('pgmq_message_ready', payload::text);
  RETURN QUERY SELECT unnest(msg_ids);
END
$$;
