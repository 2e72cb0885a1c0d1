-- One hop of one task as a compare-and-set, judged and recorded by the trigger: true if it moved,
-- false if the row is missing or in another state. An illegal pair raises. A move that the caller
-- announced before keeps its values where none are given here.
CREATE FUNCTION transition_task_state_atomic(
  input_task_uuid uuid,
  p_from_state text,
  p_to_state text,
  p_processor_uuid uuid,
  p_metadata jsonb DEFAULT '{}'
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  announced text := current_setting('tasker.move', true);
  is_moved boolean;
BEGIN
  PERFORM set_config(
    'tasker.move',
    (
      jsonb_build_object('actor', current_user)
      || coalesce(nullif(announced, '')::jsonb, '{}')
      || coalesce(p_metadata, '{}')
      || jsonb_strip_nulls(jsonb_build_object('processor_uuid', p_processor_uuid))
    )::text,
    true
  );
  UPDATE tasker_tasks AS t
  SET state = p_to_state
  WHERE t.task_uuid = input_task_uuid
    AND t.state = p_from_state;
  is_moved := FOUND;
  PERFORM set_config('tasker.move', coalesce(announced, ''), true);
  RETURN is_moved;
END
$$;
