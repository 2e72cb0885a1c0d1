-- Hides one message of a queue for that many seconds from now; false when there is no such message.
CREATE FUNCTION pgmq_extend_vt_specific_message(
  queue_name text,
  p_msg_id bigint,
  p_seconds int DEFAULT 30
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  row_count bigint;
BEGIN
  IF queue_name IS NULL OR queue_name !~ '^[A-Za-z0-9_]+$' THEN
    RAISE invalid_parameter_value
      USING MESSAGE = format('Queue name %L is not allowed', queue_name);
  END IF;
  EXECUTE format(
    'UPDATE pgmq.%I SET vt = clock_timestamp() + make_interval(secs => $2) WHERE msg_id = $1',
    'q_' || lower(queue_name)
  )
  USING p_msg_id, p_seconds;
  GET DIAGNOSTICS row_count = ROW_COUNT;
  RETURN row_count = 1;
END
$$;
