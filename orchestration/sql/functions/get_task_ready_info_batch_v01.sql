-- What discovery says of tasks, in any state, in the order of effective priority; no lock, no filter.
-- OFFSET is a fence: a plan made on empty tables would read all tasks instead of looking up few.
CREATE FUNCTION get_task_ready_info_batch(input_task_uuids uuid[]) RETURNS TABLE (
  task_uuid uuid,
  task_name text,
  priority int,
  namespace_name text,
  ready_steps_count bigint,
  computed_priority numeric,
  current_state text
)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  moment timestamptz := tasker_now();
BEGIN
  RETURN QUERY
  SELECT
    t.task_uuid,
    nt.name::text,
    t.priority,
    n.name::text,
    c.ready_steps,
    round(t.priority + 0.1 * extract(epoch FROM moment - t.created_at)::numeric / 3600, 4),
    t.state::text
  FROM get_task_execution_contexts_batch(input_task_uuids) AS c
  CROSS JOIN LATERAL (
    SELECT * FROM tasker_tasks AS own WHERE own.task_uuid = c.task_uuid OFFSET 0
  ) AS t
  JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
  JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
  ORDER BY t.schedule_key DESC, t.created_at, t.task_uuid;
END
$$;
