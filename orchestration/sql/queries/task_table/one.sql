-- One task as the API shows it, if it is in a namespace that the caller sees. Caller:
-- queries/task_list.py find_task
SELECT
  t.task_uuid,
  nt.name,
  n.name AS namespace,
  nt.version,
  t.state AS status,
  t.created_at,
  t.updated_at,
  t.requested_at,
  t.completed_at,
  t.initiator,
  t.source_system,
  t.reason,
  t.priority,
  t.tags,
  t.options,
  t.correlation_id,
  t.parent_correlation_id,
  t.state_version + coalesce(
    (SELECT sum(s.state_version) FROM tasker_workflow_steps AS s WHERE s.task_uuid = t.task_uuid), 0
  ) AS revision,
  t.context
FROM tasker_tasks AS t
JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
WHERE t.task_uuid = %(task_uuid)s
  AND (%(namespaces)s::text[] IS NULL OR n.name = ANY(%(namespaces)s::text[]))
