-- Reads one message by its id, only if it is visible; empty when it is not, or when somebody holds
-- it. A missing queue, or a name that could not be one, raises.
CREATE FUNCTION pgmq_read_specific_message(
  queue_name text,
  p_msg_id bigint,
  p_vt int DEFAULT 30
) RETURNS TABLE (
  msg_id bigint,
  read_ct int,
  enqueued_at timestamptz,
  vt timestamptz,
  message jsonb
)
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
  IF queue_name IS NULL OR queue_name !~ '^[A-Za-z0-9_]+$' THEN
    RAISE invalid_parameter_value
      USING MESSAGE = format('Queue name %L is not allowed', queue_name);
  END IF;
  RETURN QUERY EXECUTE format(
    'UPDATE pgmq.%1$I AS q
     SET vt = clock_timestamp() + make_interval(secs => $2), read_ct = q.read_ct + 1
     WHERE q.msg_id = (
       SELECT v.msg_id
       FROM pgmq.%1$I AS v
       WHERE v.msg_id = $1
         AND v.vt <= clock_timestamp()
       FOR UPDATE SKIP LOCKED
     )
     RETURNING q.msg_id, q.read_ct, q.enqueued_at, q.vt, q.message',
    'q_' || lower(queue_name)
  )
  USING p_msg_id, p_vt;
END
$$;
