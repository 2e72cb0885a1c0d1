-- A move of a step, by whatever road it comes, counts its hops and keeps the columns that belong to a
-- state: lease and claim, live message, due time, completion. `via` names the hops before the last one
-- ("state" or "state:event"); behind a '#' they stay in the row until the next move, for steps_moved,
-- which judges and records them.
CREATE FUNCTION step_moves() RETURNS trigger
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
  IF NEW.state = 'in_progress' THEN
    NEW.lease_until := coalesce(NEW.lease_until, moved_at + interval '30 seconds');
  ELSE
    NEW.claimed_by := NULL;
    NEW.lease_until := NULL;
    IF NEW.state <> 'enqueued' THEN
      NEW.queue_msg_id := NULL;
    END IF;
  END IF;
  IF NEW.state = 'waiting_for_retry' THEN
    NEW.next_retry_at := coalesce(NEW.next_retry_at, moved_at);
  ELSE
    NEW.next_retry_at := NULL;
  END IF;
  IF NEW.state IN ('complete', 'cancelled', 'resolved_manually') THEN
    NEW.completed_at := moved_at;
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER step_moves
BEFORE UPDATE ON tasker_workflow_steps
FOR EACH ROW
WHEN (OLD.state IS DISTINCT FROM NEW.state OR NEW.via[1] <> '#')
EXECUTE FUNCTION step_moves();
