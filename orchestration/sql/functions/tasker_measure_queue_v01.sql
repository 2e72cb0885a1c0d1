-- How full a queue and its archive are, and how old its oldest message is. Every count ends at
-- p_limit, so the costliest answer is bounded. No row for a queue that is not there.
CREATE FUNCTION tasker_measure_queue(p_queue text, p_limit int)
RETURNS TABLE (depth int, visible int, archived int, oldest_age_seconds double precision)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF to_regclass(format('pgmq.%I', 'q_' || p_queue)) IS NULL THEN
    RETURN;
  END IF;
  RETURN QUERY EXECUTE format(
    'SELECT
       (SELECT count(*)::int FROM (SELECT FROM pgmq.%1$I LIMIT $1) AS x),
       (SELECT count(*)::int
        FROM (SELECT FROM pgmq.%1$I AS q WHERE q.vt <= clock_timestamp() LIMIT $1) AS x),
       (SELECT count(*)::int FROM (SELECT FROM pgmq.%2$I LIMIT $1) AS x),
       (SELECT extract(epoch FROM clock_timestamp() - q.enqueued_at)::double precision
        FROM pgmq.%1$I AS q
        ORDER BY q.msg_id
        LIMIT 1)',
    'q_' || p_queue, 'a_' || p_queue
  )
    USING p_limit;
END
$$;
