-- Ends the statement that made an illegal move. Called by the triggers that record moves: steps_moved,
-- tasks_moved, steps_created and task_created.
CREATE FUNCTION tasker_refuse_move(message text) RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE check_violation USING MESSAGE = message;
END
$$;
