-- What purge_tasks.sql would delete in all its batches together.
WITH old AS MATERIALIZED (
  SELECT t.task_uuid
  FROM tasker_tasks AS t
  WHERE t.completed_at < tasker_now() - make_interval(secs => %(age_seconds)s)
    AND NOT EXISTS (
      SELECT FROM tasker_tasks_dlq AS d
      WHERE d.task_uuid = t.task_uuid AND d.resolution_status = 'pending'
    )
),
old_steps AS MATERIALIZED (
  SELECT s.workflow_step_uuid FROM tasker_workflow_steps AS s JOIN old USING (task_uuid)
)
SELECT
  (SELECT count(*) FROM old) AS tasks,
  (SELECT count(*) FROM old_steps) AS steps,
  (
    SELECT count(*)
    FROM tasker_workflow_step_edges AS e
    JOIN old_steps AS s ON s.workflow_step_uuid = e.from_step_uuid
  ) AS edges,
  (SELECT count(*) FROM tasker_task_transitions JOIN old USING (task_uuid)) AS task_transitions,
  (
    SELECT count(*)
    FROM tasker_workflow_step_transitions
    JOIN old_steps USING (workflow_step_uuid)
  ) AS step_transitions,
  (
    SELECT count(*)
    FROM tasker_workflow_step_result_audit
    JOIN old_steps USING (workflow_step_uuid)
  ) AS result_audit,
  (SELECT count(*) FROM tasker_task_annotations JOIN old USING (task_uuid)) AS annotations,
  (SELECT count(*) FROM tasker_tasks_dlq JOIN old USING (task_uuid)) AS detached_entries
