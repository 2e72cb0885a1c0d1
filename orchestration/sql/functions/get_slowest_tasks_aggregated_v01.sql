-- How long the tasks of each template take and how often they fail: one row for each version, the
-- slowest first. An execution is a task that ended in the period, complete or failed; one that is
-- blocked by failures counts as failed from then on. Groups with fewer executions are left out.
-- p_namespaces is what the reader sees, null means all.
CREATE FUNCTION get_slowest_tasks_aggregated(
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
  average_duration_seconds numeric,
  max_duration_seconds numeric,
  execution_count bigint,
  average_step_count numeric,
  error_count bigint,
  error_rate numeric,
  last_executed_at timestamptz
)
LANGUAGE sql STABLE
AS $$
  WITH ended AS (
    SELECT t.task_uuid, t.named_task_uuid, t.state, t.created_at, t.completed_at AS ended_at
    FROM tasker_tasks AS t
    WHERE t.completed_at >= since
      AND t.state IN ('complete', 'error')
    UNION ALL
    SELECT t.task_uuid, t.named_task_uuid, t.state, t.created_at, t.state_entered_at
    FROM tasker_tasks AS t
    WHERE t.state = 'blocked_by_failures'
      AND t.state_entered_at >= since
  ),
  sums AS (
    SELECT
      e.named_task_uuid,
      avg(extract(epoch FROM e.ended_at - e.created_at)) AS seconds,
      max(extract(epoch FROM e.ended_at - e.created_at)) AS longest,
      count(*) AS executions,
      count(*) FILTER (WHERE e.state <> 'complete') AS errors,
      max(e.ended_at) AS last_at
    FROM ended AS e
    GROUP BY e.named_task_uuid
    HAVING count(*) >= p_min_executions
  ),
  slowest AS (
    SELECT
      g.*,
      n.name::text AS namespace,
      nt.name::text AS task,
      nt.version::text AS template_version
    FROM sums AS g
    JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = g.named_task_uuid
    JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
    WHERE (p_namespace IS NULL OR n.name = p_namespace)
      AND (p_task_name IS NULL OR nt.name = p_task_name)
      AND (p_version IS NULL OR nt.version = p_version)
      AND (p_namespaces IS NULL OR n.name = ANY(p_namespaces))
    ORDER BY g.seconds DESC, n.name, nt.name, nt.version
    LIMIT p_limit
  )
  SELECT
    w.namespace,
    w.task,
    w.template_version,
    round(w.seconds::numeric, 3),
    round(w.longest::numeric, 3),
    w.executions,
    round(
      (
        SELECT count(*)::numeric
        FROM ended AS e
        JOIN tasker_workflow_steps AS s ON s.task_uuid = e.task_uuid
        WHERE e.named_task_uuid = w.named_task_uuid
      ) / w.executions,
      2
    ),
    w.errors,
    round(w.errors::numeric / w.executions, 4),
    w.last_at
  FROM slowest AS w
  ORDER BY w.seconds DESC, w.namespace, w.task, w.template_version;
$$;
