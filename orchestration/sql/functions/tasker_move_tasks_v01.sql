-- Moves tasks, several hops each, in one UPDATE: p_hops holds "state:event,state:event" for the hops
-- before the last one, p_states where each ends. Called by queries/tasks.py.
-- Locks: the caller holds the tasks.
CREATE OR REPLACE FUNCTION tasker_move_tasks(p_tasks uuid[], p_hops text[], p_states text[])
RETURNS int
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
DECLARE
  v_count int;
BEGIN
  UPDATE tasker_tasks AS t
  SET state = m.state, via = string_to_array(m.hops, ',')
  FROM (
    SELECT x.row_id, u.hops, u.state
    FROM unnest(p_tasks, p_hops, p_states) AS u (task_uuid, hops, state)
    CROSS JOIN LATERAL (
      SELECT w.ctid AS row_id FROM tasker_tasks AS w WHERE w.task_uuid = u.task_uuid OFFSET 0
    ) AS x
  ) AS m
  WHERE t.ctid = m.row_id;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END
$$;
