-- Deletes one message of a queue; false when there is no such message.
CREATE FUNCTION pgmq_delete_specific_message(queue_name text, p_msg_id bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  row_count bigint;
BEGIN
  IF queue_name IS NULL OR queue_name !~ '^[A-Za-z0-9_]+$' THEN
    RAISE invalid_parameter_value
      USING MESSAGE = format('Queue name %L is not allowed', queue_name);
  END IF;
  EXECUTE format('DELETE FROM pgmq.%I WHERE msg_id = $1', 'q_' || lower(queue_name))
  USING p_msg_id;
  GET DIAGNOSTICS row_count = ROW_COUNT;
  RETURN row_count = 1;
END
$$;
