-- What was created, finished and failed in each slice of a period, and how long finished tasks took.
-- Caller: queries/dashboard.py series.
WITH seen AS MATERIALIZED (
  SELECT nt.named_task_uuid
  FROM tasker_named_tasks AS nt
  JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
  WHERE n.name = ANY(%(namespaces)s::text[])
),
created AS (
  SELECT date_bin(%(slice)s, t.created_at, %(start)s) AS at, count(*) AS tasks
  FROM tasker_tasks AS t
  WHERE t.created_at >= %(start)s
    AND (%(namespaces)s::text[] IS NULL OR t.named_task_uuid IN (SELECT seen.named_task_uuid FROM seen))
  GROUP BY 1
),
finished AS (
  SELECT
    date_bin(%(slice)s, t.completed_at, %(start)s) AS at,
    count(*) FILTER (WHERE t.state = 'complete') AS complete,
    count(*) FILTER (WHERE t.state = 'error') AS errors,
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
      ORDER BY extract(epoch FROM t.completed_at - t.created_at)::float8
    ) FILTER (WHERE t.state = 'complete') AS seconds
  FROM tasker_tasks AS t
  WHERE t.completed_at >= %(start)s
    AND (%(namespaces)s::text[] IS NULL OR t.named_task_uuid IN (SELECT seen.named_task_uuid FROM seen))
  GROUP BY 1
),
blocked AS (
  SELECT date_bin(%(slice)s, t.state_entered_at, %(start)s) AS at, count(*) AS tasks
  FROM tasker_tasks AS t
  WHERE t.state = 'blocked_by_failures'
    AND t.state_entered_at >= %(start)s
    AND (%(namespaces)s::text[] IS NULL OR t.named_task_uuid IN (SELECT seen.named_task_uuid FROM seen))
  GROUP BY 1
)
SELECT
  g.at,
  coalesce(c.tasks, 0) AS created,
  coalesce(f.complete, 0) AS finished,
  coalesce(f.errors, 0) + coalesce(b.tasks, 0) AS errors,
  f.seconds[1] AS median_seconds,
  f.seconds[2] AS p95_seconds
FROM generate_series(%(start)s::timestamptz, %(now)s::timestamptz, %(slice)s::interval) AS g (at)
LEFT JOIN created AS c ON c.at = g.at
LEFT JOIN finished AS f ON f.at = g.at
LEFT JOIN blocked AS b ON b.at = g.at
ORDER BY g.at
