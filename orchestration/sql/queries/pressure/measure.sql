-- What a namespace has to do, counted up to a limit, and how late the engine is. Caller:
-- queries/pressure.py measure.
SELECT
  tasker_count_messages('worker_' || %(namespace)s || '_queue', %(limit)s) + (
    SELECT count(*)
    FROM (
      SELECT
      FROM tasker_tasks AS t
      WHERE t.state = 'pending'
        AND t.named_task_uuid = ANY(
          ARRAY(
            SELECT nt.named_task_uuid
            FROM tasker_named_tasks AS nt
            JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
            WHERE n.name = %(namespace)s
          )
        )
      LIMIT %(limit)s
    ) AS waiting
  ) AS work,
  greatest(
    tasker_queue_lag('orchestration_step_results'),
    tasker_queue_lag('orchestration_task_requests')
  ) AS lag_seconds
