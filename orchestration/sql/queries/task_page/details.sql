-- What a person wants to know of a task besides its graph, and the tasks of the same flow: its
-- parent, and its children up to a limit. Caller: queries/task_page.py find_details.
SELECT
  t.task_uuid,
  ns.name AS namespace,
  nt.name,
  nt.version,
  nt.named_task_uuid,
  t.state,
  t.priority,
  t.initiator,
  t.source_system,
  t.reason,
  t.tags,
  t.bypass_steps,
  t.options,
  CASE WHEN %(with_context)s::boolean THEN t.context END AS context,
  t.idempotency_key,
  t.correlation_id,
  t.parent_correlation_id,
  t.requested_at,
  t.created_at,
  t.state_entered_at,
  t.completed_at,
  -- grows with every move of the task or of a step, and with every step that is created
  t.state_version + (
    SELECT coalesce(sum(s.state_version), 0)
    FROM tasker_workflow_steps AS s
    WHERE s.task_uuid = t.task_uuid
  ) AS revision,
  (
    SELECT jsonb_build_object('uuid', d.dlq_entry_uuid, 'reason', d.dlq_reason)
    FROM tasker_tasks_dlq AS d
    WHERE d.task_uuid = t.task_uuid AND d.resolution_status = 'pending'
  ) AS dlq_entry,
  (
    SELECT coalesce(
      jsonb_agg(
        jsonb_build_object('uuid', r.task_uuid, 'name', r.name, 'state', r.state, 'is_parent', r.is_parent)
        ORDER BY r.is_parent DESC, r.task_uuid
      ),
      '[]'
    )
    FROM (
      (
        SELECT p.task_uuid, pn.name, p.state, true AS is_parent
        FROM tasker_tasks AS p
        JOIN tasker_named_tasks AS pn ON pn.named_task_uuid = p.named_task_uuid
        WHERE p.correlation_id = t.parent_correlation_id
        ORDER BY p.task_uuid
        LIMIT %(limit)s
      )
      UNION ALL
      (
        SELECT c.task_uuid, cn.name, c.state, false
        FROM tasker_tasks AS c
        JOIN tasker_named_tasks AS cn ON cn.named_task_uuid = c.named_task_uuid
        WHERE c.parent_correlation_id = t.correlation_id
        ORDER BY c.task_uuid
        LIMIT %(limit)s
      )
    ) AS r
  ) AS relatives
FROM tasker_tasks AS t
JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
JOIN tasker_task_namespaces AS ns ON ns.task_namespace_uuid = nt.task_namespace_uuid
WHERE t.task_uuid = %(task_uuid)s::uuid
