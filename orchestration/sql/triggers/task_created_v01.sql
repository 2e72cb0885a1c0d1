-- Writes the first history row of a task; any state may be inserted (imports, factories).
CREATE FUNCTION task_created() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
  move jsonb := coalesce(
    nullif(current_setting('tasker.move', true), '')::jsonb,
    jsonb_build_object('actor', current_user)
  );
BEGIN
  INSERT INTO tasker_task_transitions (
    task_uuid, sort_key, from_state, to_state, event, processor_uuid, actor, metadata,
    created_at
  )
  VALUES (
    NEW.task_uuid, 1, NULL, NEW.state, 'created',
    (move ->> 'processor_uuid')::uuid, move ->> 'actor',
    move - '{event,actor,processor_uuid,worker_uuid}'::text[], NEW.state_entered_at
  );
  RETURN NULL;
END
$$;

CREATE TRIGGER task_created
AFTER INSERT ON tasker_tasks
FOR EACH ROW
EXECUTE FUNCTION task_created();
