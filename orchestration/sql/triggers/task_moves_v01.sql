-- A move of a task, by whatever road it comes, counts its hops and keeps the times that belong to a
-- state. `via` names the hops before the last one ("state" or "state:event"); behind a '#' they stay in
-- the row until the next move, for tasks_moved, which judges and records them.
CREATE FUNCTION task_moves() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
  moved_at timestamptz := tasker_now();
BEGIN
  IF NEW.via IS NULL OR NEW.via[1] = '#' THEN
    NEW.via := NULL;
    NEW.state_version := OLD.state_version + 1;
  ELSE
    NEW.state_version := OLD.state_version + 1 + cardinality(NEW.via);
    NEW.via := ARRAY['#'] || NEW.via;
  END IF;
  NEW.state_entered_at := moved_at;
  NEW.updated_at := moved_at;
  IF NEW.state IN ('complete', 'error', 'cancelled', 'resolved_manually') THEN
    NEW.completed_at := moved_at;
  ELSE
    NEW.completed_at := NULL;
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER task_moves
BEFORE UPDATE ON tasker_tasks
FOR EACH ROW
WHEN (OLD.state IS DISTINCT FROM NEW.state OR NEW.via[1] <> '#')
EXECUTE FUNCTION task_moves();
