-- Stores a handler's progress: fenced, keeps the newest 100 cursors, extends the lease; the step
-- stays in_progress. Called by queries/steps.py. Locks: the step.
CREATE OR REPLACE FUNCTION tasker_save_checkpoint(
  p_step uuid,
  p_version int,
  p_checkpoint jsonb,
  p_lease_seconds int DEFAULT 30
)
RETURNS boolean
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  v_now timestamptz := tasker_now();
  v_queue record;
BEGIN
  UPDATE tasker_workflow_steps AS s
  SET
    lease_until = v_now + make_interval(secs => p_lease_seconds),
    updated_at = v_now,
    checkpoint = jsonb_build_object(
      'cursor', p_checkpoint -> 'cursor',
      'items_processed', p_checkpoint -> 'items_processed',
      'timestamp', v_now,
      'accumulated_results', coalesce(
        p_checkpoint -> 'accumulated_results', s.checkpoint -> 'accumulated_results'
      ),
      'history', (
        SELECT jsonb_agg(x.entry ORDER BY x.place)
        FROM (
          SELECT h.entry, h.place
          FROM jsonb_array_elements(
            coalesce(s.checkpoint -> 'history', '[]')
            || jsonb_build_object('cursor', p_checkpoint -> 'cursor', 'timestamp', v_now)
          ) WITH ORDINALITY AS h (entry, place)
          ORDER BY h.place DESC
          LIMIT 100
        ) AS x
      )
    )
  WHERE s.workflow_step_uuid = p_step
    AND s.state = 'in_progress'
    AND s.state_version = p_version;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  FOR v_queue IN SELECT * FROM tasker_live_messages(ARRAY[p_step]) LOOP
    PERFORM pgmq.set_vt(v_queue.queue, v_queue.msg_ids, p_lease_seconds);
  END LOOP;
  RETURN true;
END
$$;
