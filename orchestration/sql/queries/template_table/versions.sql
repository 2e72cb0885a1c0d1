-- Every version of every template, with what became of its tasks of the last day. Caller:
-- queries/template_table.py all_versions.
SELECT
  nt.named_task_uuid,
  ns.name AS namespace,
  nt.name,
  nt.version,
  nt.created_at,
  nt.retired_at IS NOT NULL AS is_retired,
  jsonb_array_length(jsonb_path_query_array(nt.configuration, '$.steps[*]')) AS step_count,
  jsonb_path_query_array(nt.configuration, '$.steps[*].handler.callable') AS callables,
  coalesce(d.tasks, 0) AS tasks_of_day,
  coalesce(d.failed, 0) AS failed_of_day
FROM tasker_named_tasks AS nt
JOIN tasker_task_namespaces AS ns ON ns.task_namespace_uuid = nt.task_namespace_uuid
LEFT JOIN (
  SELECT
    t.named_task_uuid,
    count(*) AS tasks,
    count(*) FILTER (WHERE t.state IN ('error', 'blocked_by_failures')) AS failed
  FROM tasker_tasks AS t
  WHERE t.created_at > tasker_now() - interval '24 hours'
  GROUP BY t.named_task_uuid
) AS d ON d.named_task_uuid = nt.named_task_uuid
WHERE (%(namespaces)s::text[] IS NULL OR ns.name = ANY(%(namespaces)s::text[]))
  AND (%(only)s::uuid IS NULL OR (nt.task_namespace_uuid, nt.name) IN (
    SELECT o.task_namespace_uuid, o.name FROM tasker_named_tasks AS o WHERE o.named_task_uuid = %(only)s::uuid
  ))
ORDER BY ns.name, nt.name, nt.created_at
