-- Versions of templates by namespace and name, in no order of versions.
-- Caller: queries/templates.py find_versions.
SELECT
  nt.named_task_uuid,
  ns.name AS namespace,
  nt.name,
  nt.version,
  nt.description,
  jsonb_array_length(jsonb_path_query_array(nt.configuration, '$.steps[*]')) AS step_count,
  nt.created_at,
  nt.updated_at,
  nt.retired_at
FROM tasker_named_tasks AS nt
JOIN tasker_task_namespaces AS ns ON ns.task_namespace_uuid = nt.task_namespace_uuid
WHERE (%(namespaces)s::text[] IS NULL OR ns.name = ANY(%(namespaces)s::text[]))
  AND (%(namespace)s::text IS NULL OR ns.name = %(namespace)s::text)
  AND (%(name)s::text IS NULL OR nt.name = %(name)s::text)
ORDER BY ns.name, nt.name
