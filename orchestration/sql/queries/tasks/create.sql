-- New tasks of one template with their steps and edges, no row for an identity that is taken; and how
-- many messages the queue of their namespace has room for. Caller: queries/tasks.py create_tasks.
SELECT
  identity_hash,
  task_uuid,
  created_at,
  correlation_id,
  (
    SELECT %(high_water)s::int
      - tasker_count_messages('worker_' || n.name || '_queue', %(high_water)s)
    FROM tasker_named_tasks AS nt
    JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
    WHERE nt.named_task_uuid = %(named_task)s
  ) AS queue_room
FROM tasker_create_tasks(
  %(move)s, %(named_task)s, %(revision)s, %(tasks)s, %(steps)s, %(edges)s
)
