-- Writes the first history row of each new step. One statement for the whole insert: the steps of
-- a task are inserted as a set, and no other table is joined.
CREATE FUNCTION steps_created() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
  move jsonb := coalesce(
    nullif(current_setting('tasker.move', true), '')::jsonb,
    jsonb_build_object('actor', current_user)
  );
BEGIN
  INSERT INTO tasker_workflow_step_transitions (
    workflow_step_uuid, sort_key, from_state, to_state, event, attempt,
    processor_uuid, actor, metadata, created_at
  )
  SELECT
    s.workflow_step_uuid, 1, NULL, s.state, 'created', s.attempts,
    (move ->> 'processor_uuid')::uuid, move ->> 'actor',
    move - '{event,actor,processor_uuid,worker_uuid}'::text[], s.state_entered_at
  FROM new_steps AS s;
  RETURN NULL;
END
$$;

CREATE TRIGGER steps_created
AFTER INSERT ON tasker_workflow_steps
REFERENCING NEW TABLE AS new_steps
FOR EACH STATEMENT
EXECUTE FUNCTION steps_created();
