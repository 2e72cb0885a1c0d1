-- How many messages a queue holds, p_limit at most: counting stops there. None for a queue that is not
-- there.
CREATE FUNCTION tasker_count_messages(p_queue text, p_limit int) RETURNS int
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  v_count int;
BEGIN
  IF to_regclass(format('pgmq.%I', 'q_' || p_queue)) IS NULL THEN
    RETURN 0;
  END IF;
  EXECUTE format('SELECT count(*) FROM (SELECT FROM pgmq.%I LIMIT $1) AS x', 'q_' || p_queue)
    INTO v_count
    USING p_limit;
  RETURN v_count;
END
$$;
