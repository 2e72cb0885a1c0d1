-- Every ancestor of a step once, with its smallest distance (parent = 1). Breadth first, one round a
-- level: no depth limit, and a cycle ends the search instead of looping.
CREATE FUNCTION get_step_transitive_dependencies(target_step_uuid uuid) RETURNS TABLE (
  workflow_step_uuid uuid,
  task_uuid uuid,
  named_step_uuid uuid,
  step_name text,
  results jsonb,
  processed boolean,
  distance int
)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  frontier uuid[] := ARRAY[target_step_uuid];
  found_uuids uuid[] := '{}';
  distances int[] := '{}';
  level int := 0;
BEGIN
  LOOP
    level := level + 1;
    frontier := ARRAY(
      SELECT DISTINCT e.from_step_uuid
      FROM tasker_workflow_step_edges AS e
      WHERE e.to_step_uuid = ANY(frontier)
        AND e.from_step_uuid <> ALL(found_uuids)
        AND e.from_step_uuid <> target_step_uuid
    );
    EXIT WHEN frontier = '{}';
    found_uuids := found_uuids || frontier;
    distances := distances || array_fill(level, ARRAY[cardinality(frontier)]);
  END LOOP;
  RETURN QUERY
  SELECT
    s.workflow_step_uuid,
    s.task_uuid,
    s.named_step_uuid,
    s.name::text,
    s.results,
    s.state IN ('complete', 'resolved_manually'),
    a.distance
  FROM unnest(found_uuids, distances) AS a (workflow_step_uuid, distance)
  CROSS JOIN LATERAL (
    SELECT *
    FROM tasker_workflow_steps AS found
    WHERE found.workflow_step_uuid = a.workflow_step_uuid
    OFFSET 0  -- a fence: a plan made on small tables would read the whole table
  ) AS s
  ORDER BY a.distance, s.workflow_step_uuid;
END
$$;
