-- Reads up to p_limit visible messages, the oldest first, and hides them for p_visibility_seconds;
-- with p_only, messages that contain this JSON. Answers and counts as pgmq.read does.
-- Not pgmq.read, which joins the queue to what it has chosen: where statistics come from a moment at
-- which the queue was empty, that join reads the whole queue once for every message (7 ms a call with
-- 1,500 waiting). An array of ids can only be looked up.
-- Locks: the messages, SKIP LOCKED.
CREATE OR REPLACE FUNCTION tasker_read_messages(
  p_queue text,
  p_visibility_seconds int,
  p_limit int,
  p_only jsonb DEFAULT '{}'
)
RETURNS TABLE (
  msg_id bigint,
  read_ct int,
  enqueued_at timestamptz,
  last_read_at timestamptz,
  vt timestamptz,
  message jsonb,
  headers jsonb
)
LANGUAGE plpgsql
SET jit = off
SET enable_seqscan = off
AS $$
BEGIN
  RETURN QUERY EXECUTE format(
    'UPDATE pgmq.%1$I AS m
     SET
       last_read_at = clock_timestamp(),
       vt = clock_timestamp() + make_interval(secs => $1),
       read_ct = m.read_ct + 1
     WHERE m.msg_id = ANY(ARRAY(
       SELECT q.msg_id
       FROM pgmq.%1$I AS q
       WHERE q.vt <= clock_timestamp()
         AND ($3 = ''{}'' OR q.message @> $3)
       ORDER BY q.msg_id
       LIMIT $2
       FOR UPDATE SKIP LOCKED
     ))
     RETURNING m.msg_id, m.read_ct, m.enqueued_at, m.last_read_at, m.vt, m.message, m.headers',
    pgmq.format_table_name(p_queue, 'q')
  )
    USING p_visibility_seconds, p_limit, p_only;
END
$$;
