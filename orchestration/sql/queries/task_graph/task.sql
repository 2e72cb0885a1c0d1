-- A task with what its steps add up to. Caller: queries.task_graph.find_task_graph
SELECT
  t.task_uuid,
  ns.name AS namespace,
  nt.name,
  nt.version,
  t.state,
  t.created_at,
  t.completed_at,
  tasker_now() AS seen_at,
  c.completion_percentage,
  c.health_status,
  d.dlq_reason,
  t.named_task_uuid,
  r.digest
FROM tasker_tasks AS t
JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
JOIN tasker_task_namespaces AS ns ON ns.task_namespace_uuid = nt.task_namespace_uuid
JOIN tasker_template_revisions AS r ON r.template_revision_uuid = t.template_revision_uuid
JOIN get_task_execution_contexts_batch(ARRAY[%(task_uuid)s::uuid]) AS c
  ON c.task_uuid = t.task_uuid
LEFT JOIN tasker_tasks_dlq AS d
  ON d.task_uuid = t.task_uuid
  AND d.resolution_status = 'pending'
WHERE t.task_uuid = %(task_uuid)s::uuid;
