-- Ends the statement that made an illegal move. Called by the triggers steps_moved and tasks_moved.
CREATE FUNCTION tasker_refuse_move(message text) RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE check_violation USING MESSAGE = message;
END
$$;
