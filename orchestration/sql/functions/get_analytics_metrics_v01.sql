-- What a period was like, and what is going on now: one row. Rates are percentages of the tasks
-- that became complete or failed; a failed one is in error, or blocked by failures, still.
-- p_namespaces narrows everything to some namespaces, null means all.
CREATE FUNCTION get_analytics_metrics(
  since timestamptz DEFAULT tasker_now() - interval '1 hour',
  p_namespaces text[] DEFAULT NULL
) RETURNS TABLE (
  active_tasks_count bigint,
  total_namespaces_count bigint,
  unique_task_types_count bigint,
  system_health_score numeric,
  task_throughput bigint,
  completion_count bigint,
  error_count bigint,
  completion_rate numeric,
  error_rate numeric,
  avg_task_duration numeric,
  avg_step_duration numeric,
  step_throughput bigint,
  analysis_period_start timestamptz,
  calculated_at timestamptz
)
LANGUAGE sql STABLE
AS $$
  WITH seen AS MATERIALIZED (
    SELECT nt.named_task_uuid
    FROM tasker_named_tasks AS nt
    JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
    WHERE n.name = ANY(p_namespaces)
  ),
  -- unfinished tasks are named by their states, as the partial index that serves them is
  unfinished AS (
    SELECT
      count(*) AS tasks,
      count(*) FILTER (
        WHERE t.state = 'blocked_by_failures' AND t.state_entered_at >= since
      ) AS blocked
    FROM tasker_tasks AS t
    WHERE t.state IN (
      'pending', 'initializing', 'enqueuing_steps', 'steps_in_process', 'evaluating_results',
      'waiting_for_dependencies', 'waiting_for_retry', 'blocked_by_failures'
    )
      AND (p_namespaces IS NULL OR t.named_task_uuid IN (SELECT s.named_task_uuid FROM seen AS s))
  ),
  finished AS (
    SELECT
      count(*) FILTER (WHERE t.state = 'complete') AS complete,
      count(*) FILTER (WHERE t.state = 'error') AS failed,
      avg(extract(epoch FROM t.completed_at - t.created_at))
        FILTER (WHERE t.state = 'complete') AS seconds
    FROM tasker_tasks AS t
    WHERE t.completed_at >= since
      AND (p_namespaces IS NULL OR t.named_task_uuid IN (SELECT s.named_task_uuid FROM seen AS s))
  ),
  created AS (
    SELECT count(*) AS tasks
    FROM tasker_tasks AS t
    WHERE t.created_at >= since
      AND (p_namespaces IS NULL OR t.named_task_uuid IN (SELECT s.named_task_uuid FROM seen AS s))
  ),
  steps AS (
    SELECT
      count(*) AS complete,
      avg(extract(epoch FROM w.completed_at - w.last_attempted_at)) AS seconds
    FROM tasker_workflow_steps AS w
    WHERE w.state = 'complete'
      AND w.completed_at >= since
      AND (
        p_namespaces IS NULL
        OR (
          SELECT t.named_task_uuid FROM tasker_tasks AS t WHERE t.task_uuid = w.task_uuid
        ) IN (SELECT s.named_task_uuid FROM seen AS s)
      )
  ),
  ended AS (
    SELECT
      f.complete,
      f.failed + u.blocked AS failed,
      nullif(f.complete + f.failed + u.blocked, 0)::numeric AS total
    FROM finished AS f
    CROSS JOIN unfinished AS u
  )
  SELECT
    u.tasks,
    (
      SELECT count(*)
      FROM tasker_task_namespaces AS n
      WHERE p_namespaces IS NULL OR n.name = ANY(p_namespaces)
    ),
    (
      SELECT count(*)
      FROM tasker_named_tasks AS nt
      WHERE (p_namespaces IS NULL OR nt.named_task_uuid IN (SELECT s.named_task_uuid FROM seen AS s))
        AND EXISTS (SELECT FROM tasker_tasks AS t WHERE t.named_task_uuid = nt.named_task_uuid)
    ),
    coalesce(round(e.complete / e.total, 3), 1.000),
    c.tasks,
    e.complete,
    e.failed,
    coalesce(round(100 * e.complete / e.total, 2), 0.00),
    coalesce(round(100 * e.failed / e.total, 2), 0.00),
    coalesce(round(f.seconds, 3), 0.000),
    coalesce(round(s.seconds, 3), 0.000),
    s.complete,
    since,
    tasker_now()
  FROM unfinished AS u
  CROSS JOIN finished AS f
  CROSS JOIN created AS c
  CROSS JOIN steps AS s
  CROSS JOIN ended AS e;
$$;
