-- Answers the registered step types of steps, in their order; null for one that is not registered.
-- p_steps: [{name, system, …}]. Called by tasker_create_tasks and tasker_add_steps, whose planner
-- settings hold here. Each is looked up by its unique key: a join would read the whole registry for
-- each step in a session that planned while the registry was small.
CREATE OR REPLACE FUNCTION tasker_step_types(p_steps jsonb)
RETURNS uuid[]
LANGUAGE plpgsql
STABLE
AS $$
BEGIN
  RETURN ARRAY(
    SELECT (
      SELECT ns.named_step_uuid
      FROM tasker_named_steps AS ns
      WHERE ns.name = r.step ->> 'name'
        AND ns.dependent_system_uuid = (
          SELECT ds.dependent_system_uuid
          FROM tasker_dependent_systems AS ds
          WHERE ds.name = r.step ->> 'system'
        )
    )
    FROM jsonb_array_elements(p_steps) WITH ORDINALITY AS r (step, place)
    ORDER BY r.place
  );
END
$$;
