-- Decisions and batchable steps with what their outcome is worked out from. origin_depth: how many
-- of them in a row created each other up to this one. Caller: queries/outcomes.py find_gates.
SELECT
  s.workflow_step_uuid AS step_uuid,
  s.task_uuid,
  s.name,
  s.step_type,
  t.named_task_uuid,
  r.digest,
  (
    WITH RECURSIVE origins AS (
      SELECT s.origin_step_uuid AS step_uuid
      UNION ALL
      SELECT o.origin_step_uuid
      FROM origins
      JOIN tasker_workflow_steps AS o ON o.workflow_step_uuid = origins.step_uuid
    )
    SELECT count(origins.step_uuid) FROM origins
  ) AS origin_depth,
  EXISTS (
    SELECT
    FROM tasker_workflow_step_edges AS e
    WHERE e.from_step_uuid = s.workflow_step_uuid AND e.name = 'batch_dependency'
  ) AS has_batches,
  s.results
FROM tasker_workflow_steps AS s
JOIN tasker_tasks AS t ON t.task_uuid = s.task_uuid
JOIN tasker_template_revisions AS r ON r.template_revision_uuid = t.template_revision_uuid
WHERE s.workflow_step_uuid = ANY(%(step_uuids)s)
