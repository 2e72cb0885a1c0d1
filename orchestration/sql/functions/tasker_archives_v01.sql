-- The tables in which PGMQ keeps archived messages of Tasker's own queues. Called by
-- tasker_purge_archives and tasker_count_archived.
CREATE FUNCTION tasker_archives() RETURNS TABLE (archive text)
LANGUAGE sql STABLE
AS $$
  SELECT 'a_' || m.queue_name
  FROM pgmq.meta AS m
  WHERE m.queue_name IN ('orchestration_step_results', 'orchestration_task_requests')
     OR m.queue_name IN (
       SELECT 'worker_' || n.name || '_queue' FROM tasker_task_namespaces AS n
     )
  ORDER BY m.queue_name
$$;
