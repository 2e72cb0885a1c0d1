-- The shortest distance from any root to each step of a task that a root reaches (root = 0). Serves
-- view tasker_step_dag_relationships, once a task. Breadth first, cycle-safe.
CREATE FUNCTION calculate_step_depths(input_task_uuid uuid) RETURNS TABLE (
  workflow_step_uuid uuid,
  depth int
)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  frontier uuid[];
  placed uuid[] := '{}';
  depths int[] := '{}';
  level int := 0;
BEGIN
  frontier := ARRAY(
    SELECT s.workflow_step_uuid
    FROM tasker_workflow_steps AS s
    WHERE s.task_uuid = input_task_uuid
      AND (
        SELECT true
        FROM tasker_workflow_step_edges AS e
        WHERE e.to_step_uuid = s.workflow_step_uuid
        LIMIT 1
      ) IS NULL
  );
  WHILE frontier <> '{}' LOOP
    placed := placed || frontier;
    depths := depths || array_fill(level, ARRAY[cardinality(frontier)]);
    frontier := ARRAY(
      SELECT DISTINCT e.to_step_uuid
      FROM tasker_workflow_step_edges AS e
      WHERE e.from_step_uuid = ANY(frontier)
        AND e.to_step_uuid <> ALL(placed)
    );
    level := level + 1;
  END LOOP;
  RETURN QUERY SELECT p.uuid, p.depth FROM unnest(placed, depths) AS p (uuid, depth);
END
$$;
