-- Namespaces with the number of their active templates, versions counted apart.
-- Caller: queries/templates.py find_namespaces.
SELECT
  ns.name,
  ns.description,
  (
    SELECT count(*)
    FROM tasker_named_tasks AS nt
    WHERE nt.task_namespace_uuid = ns.task_namespace_uuid
      AND nt.retired_at IS NULL
  ) AS template_count
FROM tasker_task_namespaces AS ns
WHERE (%(namespaces)s::text[] IS NULL OR ns.name = ANY(%(namespaces)s::text[]))
  AND (%(namespace)s::text IS NULL OR ns.name = %(namespace)s::text)
ORDER BY ns.name
