-- The event of a legal move of a step: the hint if it is legal for the pair, else the default;
-- null for an illegal pair. Trigger steps_moved asks for every hop, and inlines this one expression.
-- The graph is declared on the model; a test compares the two in both directions.
CREATE OR REPLACE FUNCTION step_move_event(from_state text, to_state text, hint text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE from_state
    WHEN 'pending' THEN CASE to_state
      WHEN 'enqueued' THEN 'enqueue'
      WHEN 'in_progress' THEN 'start'
      WHEN 'waiting_for_retry' THEN 'wait_for_retry'
      WHEN 'complete' THEN 'complete_manually'
      WHEN 'error' THEN 'fail'
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'enqueued' THEN CASE to_state
      WHEN 'in_progress' THEN 'start'
      WHEN 'waiting_for_retry' THEN 'wait_for_retry'
      WHEN 'complete' THEN 'complete_manually'
      WHEN 'error' THEN 'fail'
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'in_progress' THEN CASE to_state
      WHEN 'enqueued' THEN CASE
        WHEN hint IN ('release') THEN hint
        ELSE 'worker_lost'
      END
      WHEN 'enqueued_for_orchestration' THEN 'enqueue_for_orchestration'
      WHEN 'enqueued_as_error_for_orchestration' THEN 'enqueue_as_error_for_orchestration'
      WHEN 'waiting_for_retry' THEN 'wait_for_retry'
      WHEN 'complete' THEN CASE
        WHEN hint IN ('complete_manually') THEN hint
        ELSE 'complete'
      END
      WHEN 'error' THEN CASE
        WHEN hint IN ('worker_lost') THEN hint
        ELSE 'fail'
      END
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'enqueued_for_orchestration' THEN CASE to_state
      WHEN 'complete' THEN CASE
        WHEN hint IN ('complete_manually') THEN hint
        ELSE 'complete'
      END
      WHEN 'error' THEN 'fail'
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'enqueued_as_error_for_orchestration' THEN CASE to_state
      WHEN 'waiting_for_retry' THEN 'wait_for_retry'
      WHEN 'complete' THEN CASE
        WHEN hint IN ('complete_manually') THEN hint
        ELSE 'complete'
      END
      WHEN 'error' THEN 'fail'
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'waiting_for_retry' THEN CASE to_state
      WHEN 'pending' THEN 'retry'
      WHEN 'complete' THEN 'complete_manually'
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'complete' THEN CASE to_state
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'error' THEN CASE to_state
      WHEN 'pending' THEN CASE
        WHEN hint IN ('reset_for_retry') THEN hint
        ELSE 'retry'
      END
      WHEN 'complete' THEN 'complete_manually'
      WHEN 'cancelled' THEN 'cancel'
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
    WHEN 'cancelled' THEN CASE to_state
      WHEN 'resolved_manually' THEN 'resolve_manually'
    END
  END
$$;
