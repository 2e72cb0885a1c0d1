-- The oldest messages of a queue as they lie there: nothing is read, hidden or counted. None for a
-- queue that is not there.
CREATE FUNCTION tasker_peek_messages(p_queue text, p_limit int)
RETURNS TABLE (
  msg_id bigint,
  read_ct int,
  enqueued_at timestamptz,
  visible_at timestamptz,
  message jsonb
)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF to_regclass(format('pgmq.%I', 'q_' || p_queue)) IS NULL THEN
    RETURN;
  END IF;
  RETURN QUERY EXECUTE format(
    'SELECT q.msg_id, q.read_ct, q.enqueued_at, q.vt, q.message
     FROM pgmq.%I AS q
     ORDER BY q.msg_id
     LIMIT $1',
    'q_' || p_queue
  )
    USING p_limit;
END
$$;
