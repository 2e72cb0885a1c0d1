-- What each namespace has to do, counted up to a limit. Caller: queries/pressure.py of_namespaces.
-- Waiting tasks are looked at in one pass; when it ends early, some namespace is past the limit.
SELECT
  n.name,
  tasker_count_messages('worker_' || n.name || '_queue', %(limit)s::int) + coalesce(w.waiting, 0) AS work
FROM tasker_task_namespaces AS n
LEFT JOIN (
  SELECT nt.task_namespace_uuid, count(*) AS waiting
  FROM (
    SELECT t.named_task_uuid
    FROM tasker_tasks AS t
    WHERE t.state = 'pending'
    LIMIT %(limit)s::int * (SELECT count(*) FROM tasker_task_namespaces)
  ) AS pending
  JOIN tasker_named_tasks AS nt USING (named_task_uuid)
  GROUP BY nt.task_namespace_uuid
) AS w USING (task_namespace_uuid)
ORDER BY n.name
