-- For how many seconds a queue has had a message that nobody took: the longest time that one has been
-- visible, null when none is. Not the age since it was sent, which says little about a message that
-- was put off on purpose and has just become visible again.
CREATE FUNCTION tasker_queue_lag(p_queue text) RETURNS double precision
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
DECLARE
  v_seconds double precision;
BEGIN
  EXECUTE format(
    'SELECT extract(epoch FROM clock_timestamp() - q.vt)
     FROM pgmq.%I AS q
     WHERE q.vt <= clock_timestamp()
     ORDER BY q.vt
     LIMIT 1',
    'q_' || p_queue
  )
    INTO v_seconds;
  RETURN v_seconds;
END
$$;
