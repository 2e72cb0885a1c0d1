-- The completed tasks of a period that took longest, from their creation on. Each of the last three
-- arguments narrows the answer, null does not.
CREATE FUNCTION get_slowest_tasks(
  since timestamptz DEFAULT tasker_now() - interval '24 hours',
  p_limit int DEFAULT 10,
  p_namespace text DEFAULT NULL,
  p_task_name text DEFAULT NULL,
  p_version text DEFAULT NULL
) RETURNS TABLE (
  task_uuid uuid,
  task_name text,
  namespace_name text,
  version text,
  duration_seconds numeric,
  step_count bigint,
  completed_steps bigint,
  error_steps bigint,
  created_at timestamptz,
  completed_at timestamptz,
  initiator text,
  source_system text
)
LANGUAGE sql STABLE
AS $$
  SELECT
    slow.task_uuid,
    slow.name,
    slow.namespace,
    slow.version,
    slow.seconds,
    c.steps,
    c.complete,
    c.failed,
    slow.created_at,
    slow.completed_at,
    slow.initiator,
    slow.source_system
  FROM (
    SELECT
      t.task_uuid,
      nt.name::text AS name,
      n.name::text AS namespace,
      nt.version::text AS version,
      round(extract(epoch FROM t.completed_at - t.created_at)::numeric, 3) AS seconds,
      t.created_at,
      t.completed_at,
      t.initiator::text AS initiator,
      t.source_system::text AS source_system
    FROM tasker_tasks AS t
    JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
    JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
    WHERE t.state = 'complete'
      AND t.completed_at >= since
      AND (p_namespace IS NULL OR n.name = p_namespace)
      AND (p_task_name IS NULL OR nt.name = p_task_name)
      AND (p_version IS NULL OR nt.version = p_version)
    ORDER BY seconds DESC, t.task_uuid
    LIMIT p_limit
  ) AS slow
  CROSS JOIN LATERAL (
    SELECT
      count(*) AS steps,
      count(*) FILTER (WHERE s.state IN ('complete', 'resolved_manually')) AS complete,
      count(*) FILTER (WHERE s.state = 'error') AS failed
    FROM tasker_workflow_steps AS s
    WHERE s.task_uuid = slow.task_uuid
  ) AS c
  ORDER BY slow.seconds DESC, slow.task_uuid;
$$;
