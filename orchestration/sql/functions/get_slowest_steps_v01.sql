-- The completed steps of a period that ran longest, from the start of their last attempt. Each of
-- the last three arguments narrows the answer, null does not.
CREATE FUNCTION get_slowest_steps(
  since timestamptz DEFAULT tasker_now() - interval '24 hours',
  p_limit int DEFAULT 10,
  p_namespace text DEFAULT NULL,
  p_task_name text DEFAULT NULL,
  p_version text DEFAULT NULL
) RETURNS TABLE (
  workflow_step_uuid uuid,
  task_uuid uuid,
  step_name text,
  task_name text,
  namespace_name text,
  version text,
  duration_seconds numeric,
  attempts int,
  created_at timestamptz,
  completed_at timestamptz,
  retryable boolean,
  step_status text
)
LANGUAGE sql STABLE
AS $$
  SELECT
    s.workflow_step_uuid,
    s.task_uuid,
    s.name::text,
    nt.name::text,
    n.name::text,
    nt.version::text,
    round(extract(epoch FROM s.completed_at - s.last_attempted_at)::numeric, 3) AS seconds,
    s.attempts,
    s.created_at,
    s.completed_at,
    s.retryable,
    s.state::text
  FROM tasker_workflow_steps AS s
  JOIN tasker_tasks AS t ON t.task_uuid = s.task_uuid
  JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
  JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
  WHERE s.state = 'complete'
    AND s.completed_at >= since
    AND s.completed_at > s.last_attempted_at
    AND (p_namespace IS NULL OR n.name = p_namespace)
    AND (p_task_name IS NULL OR nt.name = p_task_name)
    AND (p_version IS NULL OR nt.version = p_version)
  ORDER BY seconds DESC, s.workflow_step_uuid
  LIMIT p_limit;
$$;
