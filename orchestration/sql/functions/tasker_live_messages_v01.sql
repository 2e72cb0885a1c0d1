-- The live messages of the given steps, grouped by queue. Called by the other functions of the
-- worker protocol, which hold the steps.
CREATE OR REPLACE FUNCTION tasker_live_messages(p_steps uuid[])
RETURNS TABLE (queue text, msg_ids bigint[])
LANGUAGE plpgsql
STABLE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
BEGIN
  RETURN QUERY
    SELECT 'worker_' || n.name || '_queue', array_agg(s.queue_msg_id)
    FROM tasker_workflow_steps AS s
    JOIN tasker_tasks AS t ON t.task_uuid = s.task_uuid
    JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
    JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
    WHERE s.workflow_step_uuid = ANY(p_steps)
      AND s.queue_msg_id IS NOT NULL
    GROUP BY n.name;
END
$$;
