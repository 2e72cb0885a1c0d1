-- The event of a legal move of a step: the hint if it is legal for the pair, else the default
-- (the first); null for an illegal pair. Called by trigger step_moves for every hop. The graph is
-- declared on the model; a test compares the two in both directions.
CREATE OR REPLACE FUNCTION step_move_event(from_state text, to_state text, hint text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
  events text[] := CASE from_state
    WHEN 'pending' THEN CASE to_state
      WHEN 'enqueued' THEN ARRAY['enqueue']
      WHEN 'in_progress' THEN ARRAY['start']
      WHEN 'waiting_for_retry' THEN ARRAY['wait_for_retry']
      WHEN 'complete' THEN ARRAY['complete_manually']
      WHEN 'error' THEN ARRAY['fail']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'enqueued' THEN CASE to_state
      WHEN 'in_progress' THEN ARRAY['start']
      WHEN 'waiting_for_retry' THEN ARRAY['wait_for_retry']
      WHEN 'complete' THEN ARRAY['complete_manually']
      WHEN 'error' THEN ARRAY['fail']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'in_progress' THEN CASE to_state
      WHEN 'enqueued' THEN ARRAY['worker_lost', 'release']
      WHEN 'enqueued_for_orchestration' THEN ARRAY['enqueue_for_orchestration']
      WHEN 'enqueued_as_error_for_orchestration' THEN ARRAY['enqueue_as_error_for_orchestration']
      WHEN 'waiting_for_retry' THEN ARRAY['wait_for_retry']
      WHEN 'complete' THEN ARRAY['complete', 'complete_manually']
      WHEN 'error' THEN ARRAY['fail', 'worker_lost']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'enqueued_for_orchestration' THEN CASE to_state
      WHEN 'complete' THEN ARRAY['complete', 'complete_manually']
      WHEN 'error' THEN ARRAY['fail']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'enqueued_as_error_for_orchestration' THEN CASE to_state
      WHEN 'waiting_for_retry' THEN ARRAY['wait_for_retry']
      WHEN 'complete' THEN ARRAY['complete', 'complete_manually']
      WHEN 'error' THEN ARRAY['fail']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'waiting_for_retry' THEN CASE to_state
      WHEN 'pending' THEN ARRAY['retry']
      WHEN 'complete' THEN ARRAY['complete_manually']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'complete' THEN CASE to_state
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'error' THEN CASE to_state
      WHEN 'pending' THEN ARRAY['retry', 'reset_for_retry']
      WHEN 'complete' THEN ARRAY['complete_manually']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'cancelled' THEN CASE to_state
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
  END;
BEGIN
  IF hint = ANY(events) THEN
    RETURN hint;
  END IF;
  RETURN events[1];
END
$$;
