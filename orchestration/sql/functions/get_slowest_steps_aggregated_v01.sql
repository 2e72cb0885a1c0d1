-- How long the steps of each template take and how often they fail: one row for each step of each
-- version, the slowest first. An execution is an attempt that reported, so every failed attempt
-- counts, also one that was repeated with success; batch instances count under their template step.
-- Groups with fewer executions are left out. p_namespaces is what the reader sees, null means all.
CREATE FUNCTION get_slowest_steps_aggregated(
  since timestamptz DEFAULT tasker_now() - interval '24 hours',
  p_limit int DEFAULT 10,
  p_min_executions int DEFAULT 5,
  p_namespace text DEFAULT NULL,
  p_task_name text DEFAULT NULL,
  p_version text DEFAULT NULL,
  p_namespaces text[] DEFAULT NULL
) RETURNS TABLE (
  namespace_name text,
  task_name text,
  version text,
  step_name text,
  average_duration_seconds numeric,
  max_duration_seconds numeric,
  execution_count bigint,
  error_count bigint,
  error_rate numeric,
  last_executed_at timestamptz
)
LANGUAGE sql STABLE
AS $$
  -- attempts are summed up by the narrow keys first; names are looked up for the sums alone
  WITH sums AS (
    SELECT
      t.named_task_uuid,
      s.named_step_uuid,
      avg(a.execution_time_ms) / 1000 AS seconds,
      max(a.execution_time_ms)::numeric / 1000 AS longest,
      count(*) AS executions,
      count(*) FILTER (WHERE NOT a.success) AS errors,
      max(a.recorded_at) AS last_at
    FROM tasker_workflow_step_result_audit AS a
    JOIN tasker_workflow_steps AS s ON s.workflow_step_uuid = a.workflow_step_uuid
    JOIN tasker_tasks AS t ON t.task_uuid = a.task_uuid
    WHERE a.recorded_at >= since
      AND a.execution_time_ms IS NOT NULL
    GROUP BY t.named_task_uuid, s.named_step_uuid
    HAVING count(*) >= p_min_executions
  )
  SELECT
    n.name::text,
    nt.name::text,
    nt.version::text,
    ns.name::text,
    round(g.seconds, 3),
    round(g.longest, 3),
    g.executions,
    g.errors,
    round(g.errors::numeric / g.executions, 4),
    g.last_at
  FROM sums AS g
  JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = g.named_task_uuid
  JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
  JOIN tasker_named_steps AS ns ON ns.named_step_uuid = g.named_step_uuid
  WHERE (p_namespace IS NULL OR n.name = p_namespace)
    AND (p_task_name IS NULL OR nt.name = p_task_name)
    AND (p_version IS NULL OR nt.version = p_version)
    AND (p_namespaces IS NULL OR n.name = ANY(p_namespaces))
  ORDER BY g.seconds DESC, n.name, nt.name, nt.version, ns.name
  LIMIT p_limit;
$$;
