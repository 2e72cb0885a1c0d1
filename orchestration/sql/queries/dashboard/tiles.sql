-- What the dashboard shows at a glance; unfinished tasks are named by their states, as the partial
-- index that serves them is. Caller:
-- queries/dashboard.py tiles.
WITH seen AS MATERIALIZED (
  SELECT nt.named_task_uuid
  FROM tasker_named_tasks AS nt
  JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
  WHERE n.name = ANY(%(namespaces)s::text[])
),
unfinished AS MATERIALIZED (
  SELECT t.state, count(*) AS tasks, count(*) FILTER (WHERE t.state_entered_at >= %(today)s) AS since_today
  FROM tasker_tasks AS t
  WHERE t.state IN (
    'pending', 'initializing', 'enqueuing_steps', 'steps_in_process', 'evaluating_results',
    'waiting_for_dependencies', 'waiting_for_retry', 'blocked_by_failures'
  )
    AND (%(namespaces)s::text[] IS NULL OR t.named_task_uuid IN (SELECT seen.named_task_uuid FROM seen))
  GROUP BY t.state
)
SELECT
  coalesce((SELECT sum(u.tasks) FROM unfinished AS u WHERE u.state = 'steps_in_process'), 0)::bigint AS running,
  coalesce((
    SELECT sum(u.tasks) FROM unfinished AS u
    WHERE u.state IN ('pending', 'waiting_for_dependencies', 'waiting_for_retry')
  ), 0)::bigint AS waiting,
  coalesce((SELECT sum(u.tasks) FROM unfinished AS u WHERE u.state = 'blocked_by_failures'), 0)::bigint AS blocked,
  (
    coalesce((SELECT sum(u.since_today) FROM unfinished AS u WHERE u.state = 'blocked_by_failures'), 0)
    + (
      SELECT count(*)
      FROM tasker_tasks AS t
      WHERE t.state = 'error'
        AND t.completed_at >= %(today)s
        AND (%(namespaces)s::text[] IS NULL OR t.named_task_uuid IN (SELECT seen.named_task_uuid FROM seen))
    )
  )::bigint AS failed_today,
  (
    SELECT count(*)
    FROM tasker_tasks_dlq AS d
    LEFT JOIN tasker_tasks AS t ON t.task_uuid = d.task_uuid
    WHERE d.resolution_status = 'pending'
      AND (%(namespaces)s::text[] IS NULL OR t.named_task_uuid IN (SELECT seen.named_task_uuid FROM seen))
  ) AS dlq_pending,
  (
    SELECT count(*) FROM tasker_workers AS w
    WHERE w.kind = 'orchestrator' AND w.status IN ('running', 'draining')
      AND w.last_heartbeat_at > tasker_now() - make_interval(secs => %(fresh_seconds)s)
  ) AS orchestrators,
  (
    SELECT count(*) FROM tasker_workers AS w
    WHERE w.kind = 'worker' AND w.status IN ('running', 'draining')
      AND w.last_heartbeat_at > tasker_now() - make_interval(secs => %(fresh_seconds)s)
  ) AS workers,
  greatest(
    tasker_queue_lag('orchestration_step_results'), tasker_queue_lag('orchestration_task_requests')
  ) AS oldest_message_seconds
