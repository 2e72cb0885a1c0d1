-- How many archived messages of Tasker's own queues are older than a moment. Called by
-- lifecycle/retention.py for a dry run.
CREATE FUNCTION tasker_count_archived(p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  v_archive text;
  v_found bigint;
  v_total bigint := 0;
BEGIN
  FOR v_archive IN SELECT a.archive FROM tasker_archives() AS a LOOP
    EXECUTE format('SELECT count(*) FROM pgmq.%I WHERE archived_at < $1', v_archive)
    INTO v_found
    USING p_before;
    v_total := v_total + v_found;
  END LOOP;
  RETURN v_total;
END
$$;
