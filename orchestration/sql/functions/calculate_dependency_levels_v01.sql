-- The longest path from any root to each step of a task (root = 0), level by level: a step gets its
-- level in the round after its last parent. When no step can be placed any more and some are left,
-- the graph has a cycle, and that is an error.
CREATE FUNCTION calculate_dependency_levels(input_task_uuid uuid) RETURNS TABLE (
  workflow_step_uuid uuid,
  dependency_level int
)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  total bigint;
  frontier uuid[];
  placed uuid[] := '{}';
  levels int[] := '{}';
  level int := 0;
BEGIN
  SELECT count(*) INTO total FROM tasker_workflow_steps AS s WHERE s.task_uuid = input_task_uuid;
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
    levels := levels || array_fill(level, ARRAY[cardinality(frontier)]);
    frontier := ARRAY(
      SELECT DISTINCT e.to_step_uuid
      FROM tasker_workflow_step_edges AS e
      WHERE e.from_step_uuid = ANY(frontier)
        AND e.to_step_uuid <> ALL(placed)
        AND (
          SELECT true
          FROM tasker_workflow_step_edges AS other
          WHERE other.to_step_uuid = e.to_step_uuid
            AND other.from_step_uuid <> ALL(placed)
          LIMIT 1
        ) IS NULL
    );
    level := level + 1;
  END LOOP;
  IF cardinality(placed) < total THEN
    RAISE EXCEPTION 'Task %: the dependencies of % steps form a cycle',
      input_task_uuid, total - cardinality(placed)
      USING HINT = 'Remove an edge of the cycle from tasker_workflow_step_edges';
  END IF;
  RETURN QUERY
  SELECT p.workflow_step_uuid, p.level
  FROM unnest(placed, levels) AS p (workflow_step_uuid, level)
  ORDER BY p.level, p.workflow_step_uuid;
END
$$;
