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
  FROM unnest(p_tasks, p_hops, p_states) AS m (task_uuid, hops, state)
  WHERE t.task_uuid = m.task_uuid;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END
$$;
