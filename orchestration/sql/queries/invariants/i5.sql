-- I5: the message of an enqueued or running step is in the worker queue of its namespace, and no
-- other message names the step. A running step that was taken with a report has none.
-- Caller: queries.invariants.violations
WITH messages AS MATERIALIZED (
  SELECT * FROM tasker_worker_messages()
)
SELECT
  s.workflow_step_uuid AS object_uuid,
  format(
    'step %%s %%s, message %%s of %%s; messages that name it: %%s',
    s.name, s.state, s.queue_msg_id, q.queue_name, coalesce(m.ids, 'none')
  ) AS detail
FROM tasker_workflow_steps AS s
JOIN tasker_tasks AS t USING (task_uuid)
JOIN tasker_named_tasks AS nt USING (named_task_uuid)
JOIN tasker_task_namespaces AS n USING (task_namespace_uuid)
CROSS JOIN LATERAL (SELECT 'worker_' || n.name || '_queue' AS queue_name) AS q
CROSS JOIN LATERAL (
  SELECT (s.state = 'enqueued' OR s.queue_msg_id IS NOT NULL)::int AS due
) AS w
CROSS JOIN LATERAL (
  SELECT
    string_agg(m.queue_name || ' ' || m.msg_id, ', ') AS ids,
    count(*) AS total,
    count(*) FILTER (WHERE m.queue_name = q.queue_name AND m.msg_id = s.queue_msg_id) AS own
  FROM messages AS m
  WHERE m.workflow_step_uuid = s.workflow_step_uuid
) AS m
WHERE s.state IN ('enqueued', 'in_progress')
  AND (m.own, m.total) <> (w.due, w.due);
