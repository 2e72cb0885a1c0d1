-- Deletes archived messages of Tasker's own queues, oldest first, p_limit at most in all; answers how
-- many. Queues that somebody else keeps in PGMQ are not touched. Called by lifecycle/retention.py.
CREATE FUNCTION tasker_purge_archives(p_before timestamptz, p_limit int) RETURNS bigint
LANGUAGE plpgsql
SET jit = off
AS $$
DECLARE
  v_archive text;
  v_deleted bigint;
  v_total bigint := 0;
BEGIN
  FOR v_archive IN SELECT a.archive FROM tasker_archives() AS a LOOP
    EXECUTE format(
      'DELETE FROM pgmq.%1$I WHERE msg_id IN ('
      || 'SELECT m.msg_id FROM pgmq.%1$I AS m WHERE m.archived_at < $1 '
      || 'ORDER BY m.archived_at LIMIT $2 FOR UPDATE SKIP LOCKED)',
      v_archive
    )
    USING p_before, p_limit - v_total;
    GET DIAGNOSTICS v_deleted = ROW_COUNT;
    v_total := v_total + v_deleted;
    EXIT WHEN v_total >= p_limit;
  END LOOP;
  RETURN v_total;
END
$$;
