-- The steps that a step waits for, and those that wait for it. Caller: queries/step_page.py
-- find_neighbours.
SELECT DISTINCT s.workflow_step_uuid AS step_uuid, s.name, s.state, e.to_step_uuid = %(step_uuid)s::uuid AS is_parent
FROM tasker_workflow_step_edges AS e
JOIN tasker_workflow_steps AS s
  ON s.workflow_step_uuid = CASE WHEN e.to_step_uuid = %(step_uuid)s::uuid THEN e.from_step_uuid ELSE e.to_step_uuid END
WHERE e.to_step_uuid = %(step_uuid)s::uuid
  OR e.from_step_uuid = %(step_uuid)s::uuid
ORDER BY is_parent DESC, s.name
LIMIT %(limit)s
