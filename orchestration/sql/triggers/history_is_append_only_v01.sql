-- Refuses every change of a history row; purge deletes whole tasks instead.
CREATE FUNCTION history_is_append_only() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE check_violation
    USING MESSAGE = format('History is append-only: %s rows cannot be updated', TG_TABLE_NAME);
END
$$;

CREATE TRIGGER history_is_append_only
BEFORE UPDATE ON tasker_task_transitions
FOR EACH ROW
EXECUTE FUNCTION history_is_append_only();

CREATE TRIGGER history_is_append_only
BEFORE UPDATE ON tasker_workflow_step_transitions
FOR EACH ROW
EXECUTE FUNCTION history_is_append_only();
