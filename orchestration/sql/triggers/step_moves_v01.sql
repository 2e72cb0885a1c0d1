-- Judges and records every move of a step, like task_moves, and keeps the columns that belong to a
-- state: lease and claim, live message, due time, completion. A hop into a reported state also
-- leaves one audit row, so there is one for every attempt that returned something.
CREATE FUNCTION step_moves() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
  move jsonb := coalesce(
    nullif(current_setting('tasker.move', true), '')::jsonb,
    jsonb_build_object('actor', current_user)
  );
  details jsonb := move - '{event,actor,processor_uuid,worker_uuid}'::text[];
  moved_at timestamptz := tasker_now();
  worker uuid := coalesce((move ->> 'worker_uuid')::uuid, NEW.claimed_by, OLD.claimed_by);
  hops text[] := coalesce(NEW.via, '{}') || NEW.state::text;
  previous text := OLD.state;
  version int := OLD.state_version;
  hop text;
  hint text;
  event text;
  transition uuid;
BEGIN
  FOREACH hop IN ARRAY hops LOOP
    version := version + 1;
    hint := nullif(split_part(hop, ':', 2), '');
    IF version = OLD.state_version + array_length(hops, 1) THEN
      hint := coalesce(hint, move ->> 'event');
    END IF;
    hop := split_part(hop, ':', 1);
    event := step_move_event(previous, hop, hint);
    IF event IS NULL THEN
      RAISE check_violation
        USING MESSAGE = format(
          'Step %s (%s): illegal move %s -> %s',
          NEW.workflow_step_uuid, NEW.name, previous, hop
        );
    END IF;
    INSERT INTO tasker_workflow_step_transitions (
      workflow_step_uuid, sort_key, from_state, to_state, event, attempt,
      worker_uuid, processor_uuid, actor, metadata, created_at
    )
    VALUES (
      NEW.workflow_step_uuid, version, previous, hop, event, NEW.attempts,
      worker, (move ->> 'processor_uuid')::uuid, coalesce(move ->> 'actor', 'system:' || worker),
      details, moved_at
    )
    RETURNING workflow_step_transition_uuid INTO transition;
    IF hop IN ('enqueued_for_orchestration', 'enqueued_as_error_for_orchestration') THEN
      INSERT INTO tasker_workflow_step_result_audit (
        workflow_step_uuid, transition_uuid, task_uuid, worker_uuid, correlation_id, attempt,
        success, execution_time_ms, error_type, recorded_at, created_at
      )
      SELECT
        NEW.workflow_step_uuid, transition, NEW.task_uuid, worker, t.correlation_id, NEW.attempts,
        hop = 'enqueued_for_orchestration',
        CASE jsonb_typeof(NEW.results #> '{metadata,execution_time_ms}')
          WHEN 'number' THEN (NEW.results #>> '{metadata,execution_time_ms}')::numeric::bigint
        END,
        left(NEW.results #>> '{error,error_type}', 255),
        moved_at, moved_at
      FROM tasker_tasks AS t
      WHERE t.task_uuid = NEW.task_uuid;
    END IF;
    previous := hop;
  END LOOP;
  NEW.state_version := version;
  NEW.via := NULL;
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
WHEN (OLD.state IS DISTINCT FROM NEW.state OR NEW.via IS NOT NULL)
EXECUTE FUNCTION step_moves();
