-- Parents, children and place in the graph of every step. Ask for one task (WHERE task_uuid = …): the
-- depths of a task are then computed once.
CREATE VIEW tasker_step_dag_relationships AS
SELECT
  s.workflow_step_uuid,
  t.task_uuid,
  s.named_step_uuid,
  parents.uuids AS parent_step_uuids,
  children.uuids AS child_step_uuids,
  jsonb_array_length(parents.uuids) AS parent_count,
  jsonb_array_length(children.uuids) AS child_count,
  parents.uuids = '[]' AS is_root_step,
  children.uuids = '[]' AS is_leaf_step,
  d.depth AS min_depth_from_root
FROM tasker_tasks AS t
JOIN tasker_workflow_steps AS s ON s.task_uuid = t.task_uuid
LEFT JOIN LATERAL calculate_step_depths(t.task_uuid) AS d
  ON d.workflow_step_uuid = s.workflow_step_uuid
CROSS JOIN LATERAL (
  SELECT coalesce(
    jsonb_agg(DISTINCT e.from_step_uuid ORDER BY e.from_step_uuid), '[]'
  ) AS uuids
  FROM tasker_workflow_step_edges AS e
  WHERE e.to_step_uuid = s.workflow_step_uuid
) AS parents
CROSS JOIN LATERAL (
  SELECT coalesce(
    jsonb_agg(DISTINCT e.to_step_uuid ORDER BY e.to_step_uuid), '[]'
  ) AS uuids
  FROM tasker_workflow_step_edges AS e
  WHERE e.from_step_uuid = s.workflow_step_uuid
) AS children;
