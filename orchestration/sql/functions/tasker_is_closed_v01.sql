-- Tells whether a namespace is closed: its worker queue holds p_high_water messages or more. Counting
-- stops at the mark. Called by queries/tasks.py for discovery.
CREATE OR REPLACE FUNCTION tasker_is_closed(p_namespace text, p_high_water int)
RETURNS boolean
LANGUAGE plpgsql
STABLE
AS $$
DECLARE
  v_table text := 'q_worker_' || p_namespace || '_queue';
  v_count int;
BEGIN
  IF to_regclass(format('pgmq.%I', v_table)) IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('SELECT count(*) FROM (SELECT FROM pgmq.%I LIMIT $1) AS x', v_table)
    INTO v_count
    USING p_high_water;
  RETURN v_count >= p_high_water;
END
$$;
