-- The event of a legal move of a task: the hint if it is legal for the pair, else the default
-- (the first); null for an illegal pair. Called by trigger task_moves for every hop. The graph is
-- declared on the model; a test compares the two in both directions.
CREATE OR REPLACE FUNCTION task_move_event(from_state text, to_state text, hint text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
  events text[] := CASE from_state
    WHEN 'pending' THEN CASE to_state
      WHEN 'initializing' THEN ARRAY['start']
      WHEN 'error' THEN ARRAY['timeout']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'initializing' THEN CASE to_state
      WHEN 'enqueuing_steps' THEN ARRAY['ready_steps_found']
      WHEN 'waiting_for_dependencies' THEN ARRAY['no_dependencies_ready']
      WHEN 'complete' THEN ARRAY['no_steps_found']
      WHEN 'error' THEN ARRAY['timeout']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'enqueuing_steps' THEN CASE to_state
      WHEN 'steps_in_process' THEN ARRAY['steps_enqueued']
      WHEN 'error' THEN ARRAY['enqueue_failed', 'timeout']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'steps_in_process' THEN CASE to_state
      WHEN 'evaluating_results' THEN ARRAY['step_completed', 'step_failed', 'reevaluate', 'all_steps_completed']
      WHEN 'waiting_for_retry' THEN ARRAY['step_failed']
      WHEN 'complete' THEN ARRAY['complete']
      WHEN 'error' THEN ARRAY['fail', 'timeout']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'evaluating_results' THEN CASE to_state
      WHEN 'enqueuing_steps' THEN ARRAY['ready_steps_found']
      WHEN 'steps_in_process' THEN ARRAY['steps_in_flight']
      WHEN 'waiting_for_dependencies' THEN ARRAY['no_dependencies_ready']
      WHEN 'waiting_for_retry' THEN ARRAY['retry_scheduled']
      WHEN 'blocked_by_failures' THEN ARRAY['permanent_failure']
      WHEN 'complete' THEN ARRAY['all_steps_successful']
      WHEN 'error' THEN ARRAY['timeout']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'waiting_for_dependencies' THEN CASE to_state
      WHEN 'evaluating_results' THEN ARRAY['dependencies_ready', 'reevaluate']
      WHEN 'error' THEN ARRAY['timeout']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'waiting_for_retry' THEN CASE to_state
      WHEN 'enqueuing_steps' THEN ARRAY['retry_ready']
      WHEN 'evaluating_results' THEN ARRAY['dependencies_ready', 'reevaluate']
      WHEN 'error' THEN ARRAY['timeout']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['resolve_manually']
    END
    WHEN 'blocked_by_failures' THEN CASE to_state
      WHEN 'evaluating_results' THEN ARRAY['reevaluate']
      WHEN 'error' THEN ARRAY['give_up', 'timeout']
      WHEN 'cancelled' THEN ARRAY['cancel']
      WHEN 'resolved_manually' THEN ARRAY['manual_resolution', 'resolve_manually']
    END
    WHEN 'error' THEN CASE to_state
      WHEN 'pending' THEN ARRAY['reset']
    END
  END;
BEGIN
  IF hint = ANY(events) THEN
    RETURN hint;
  END IF;
  RETURN events[1];
END
$$;
