-- Tasks that wait to be let in, by namespace; looked at in one pass that ends at a limit. Caller:
-- queries/gauges.py.
SELECT n.name AS label, count(*) AS amount
FROM (
  SELECT t.named_task_uuid FROM tasker_tasks AS t WHERE t.state = 'pending' LIMIT %(limit)s::int
) AS pending
JOIN tasker_named_tasks AS nt USING (named_task_uuid)
JOIN tasker_task_namespaces AS n USING (task_namespace_uuid)
GROUP BY n.name
