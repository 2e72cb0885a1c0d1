-- The event of a legal move of a task: the hint if it is legal for the pair, else the default;
-- null for an illegal pair. Trigger tasks_moved asks for every hop, and inlines this one expression.
-- The graph is declared on the model; a test compares the two in both directions.
CREATE OR REPLACE FUNCTION task_move_event(from_state text, to_state text, hint text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE from_state
    WHEN 'pending' THEN CASE to_state
      WHEN 'initializing' THEN 'start'
      WHEN 'error' THEN 'timeout'
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'initializing' THEN CASE to_state
      WHEN 'enqueuing_steps' THEN 'ready_steps_found'
      WHEN 'waiting_for_dependencies' THEN 'no_dependencies_ready'
      WHEN 'complete' THEN 'no_steps_found'
      WHEN 'error' THEN 'timeout'
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'enqueuing_steps' THEN CASE to_state
      WHEN 'steps_in_process' THEN 'steps_enqueued'
      WHEN 'error' THEN CASE
        WHEN hint IN ('timeout') THEN hint
        ELSE 'enqueue_failed'
      END
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'steps_in_process' THEN CASE to_state
      WHEN 'evaluating_results' THEN CASE
        WHEN hint IN ('step_failed', 'reevaluate', 'all_steps_completed') THEN hint
        ELSE 'step_completed'
      END
      WHEN 'waiting_for_retry' THEN 'step_failed'
      WHEN 'complete' THEN 'complete'
      WHEN 'error' THEN CASE
        WHEN hint IN ('timeout') THEN hint
        ELSE 'fail'
      END
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'evaluating_results' THEN CASE to_state
      WHEN 'enqueuing_steps' THEN 'ready_steps_found'
      WHEN 'steps_in_process' THEN 'steps_in_flight'
      WHEN 'waiting_for_dependencies' THEN 'no_dependencies_ready'
      WHEN 'waiting_for_retry' THEN 'retry_scheduled'
      WHEN 'blocked_by_failures' THEN 'permanent_failure'
      WHEN 'complete' THEN 'all_steps_successful'
      WHEN 'error' THEN 'timeout'
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'waiting_for_dependencies' THEN CASE to_state
      WHEN 'evaluating_results' THEN CASE
        WHEN hint IN ('reevaluate') THEN hint
        ELSE 'dependencies_ready'
      END
      WHEN 'error' THEN 'timeout'
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'waiting_for_retry' THEN CASE to_state
      WHEN 'enqueuing_steps' THEN 'retry_ready'
      WHEN 'evaluating_results' THEN CASE
        WHEN hint IN ('reevaluate') THEN hint
        ELSE 'dependencies_ready'
      END
      WHEN 'error' THEN 'timeout'
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'blocked_by_failures' THEN CASE to_state
      WHEN 'evaluating_results' THEN 'reevaluate'
      WHEN 'error' THEN CASE
        WHEN hint IN ('timeout') THEN hint
        ELSE 'give_up'
      END
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN CASE
        WHEN hint IN ('resolve_manually') THEN hint
        ELSE 'manual_resolution'
      END
    END
    WHEN 'error' THEN CASE to_state
      WHEN 'pending' THEN 'reset'
    END
  END
$$;
