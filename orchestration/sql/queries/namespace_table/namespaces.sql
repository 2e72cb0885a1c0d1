-- Namespaces with their unfinished tasks by state, and their active templates. Caller:
-- queries/namespace_table.py.
SELECT
  n.task_namespace_uuid,
  n.name,
  n.description,
  (
    SELECT count(DISTINCT nt.name)
    FROM tasker_named_tasks AS nt
    WHERE nt.task_namespace_uuid = n.task_namespace_uuid AND nt.retired_at IS NULL
  ) AS templates,
  coalesce(u.by_state, '{}') AS by_state
FROM tasker_task_namespaces AS n
LEFT JOIN (
  SELECT c.task_namespace_uuid, jsonb_object_agg(c.state, c.tasks) AS by_state
  FROM (
    SELECT nt.task_namespace_uuid, t.state, sum(t.tasks) AS tasks
    FROM (
      SELECT named_task_uuid, state, count(*) AS tasks
      FROM tasker_tasks
      WHERE state IN (
        'pending', 'initializing', 'enqueuing_steps', 'steps_in_process', 'evaluating_results',
        'waiting_for_dependencies', 'waiting_for_retry', 'blocked_by_failures'
      )
      GROUP BY named_task_uuid, state
    ) AS t
    JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
    GROUP BY nt.task_namespace_uuid, t.state
  ) AS c
  GROUP BY c.task_namespace_uuid
) AS u ON u.task_namespace_uuid = n.task_namespace_uuid
WHERE %(namespaces)s::text[] IS NULL OR n.name = ANY(%(namespaces)s::text[])
ORDER BY n.name
