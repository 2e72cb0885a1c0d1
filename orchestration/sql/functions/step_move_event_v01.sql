-- The event of a legal move of a step: the hint if it is legal for the pair, else the default;
-- null for an illegal pair. Trigger steps_moved asks for every hop, and inlines this one expression:
-- two constants, because a CASE of all pairs is set up anew for every statement that moves something.
-- The graph is declared on the model; a test compares the two in both directions.
CREATE OR REPLACE FUNCTION step_move_event(from_state text, to_state text, hint text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT coalesce(
    '{
      "in_progress > enqueued: release": "release",
      "in_progress > complete: complete_manually": "complete_manually",
      "in_progress > error: worker_lost": "worker_lost",
      "enqueued_for_orchestration > complete: complete_manually": "complete_manually",
      "enqueued_as_error_for_orchestration > complete: complete_manually": "complete_manually",
      "error > pending: reset_for_retry": "reset_for_retry"
    }'::jsonb ->> (from_state || ' > ' || to_state || ': ' || hint),
    '{
      "pending > enqueued": "enqueue",
      "pending > in_progress": "start",
      "pending > waiting_for_retry": "wait_for_retry",
      "pending > complete": "complete_manually",
      "pending > error": "fail",
      "pending > cancelled": "cancel",
      "pending > resolved_manually": "resolve_manually",
      "enqueued > in_progress": "start",
      "enqueued > waiting_for_retry": "wait_for_retry",
      "enqueued > complete": "complete_manually",
      "enqueued > error": "fail",
      "enqueued > cancelled": "cancel",
      "enqueued > resolved_manually": "resolve_manually",
      "in_progress > enqueued": "worker_lost",
      "in_progress > enqueued_for_orchestration": "enqueue_for_orchestration",
      "in_progress > enqueued_as_error_for_orchestration": "enqueue_as_error_for_orchestration",
      "in_progress > waiting_for_retry": "wait_for_retry",
      "in_progress > complete": "complete",
      "in_progress > error": "fail",
      "in_progress > cancelled": "cancel",
      "in_progress > resolved_manually": "resolve_manually",
      "enqueued_for_orchestration > complete": "complete",
      "enqueued_for_orchestration > error": "fail",
      "enqueued_for_orchestration > cancelled": "cancel",
      "enqueued_for_orchestration > resolved_manually": "resolve_manually",
      "enqueued_as_error_for_orchestration > waiting_for_retry": "wait_for_retry",
      "enqueued_as_error_for_orchestration > complete": "complete",
      "enqueued_as_error_for_orchestration > error": "fail",
      "enqueued_as_error_for_orchestration > cancelled": "cancel",
      "enqueued_as_error_for_orchestration > resolved_manually": "resolve_manually",
      "waiting_for_retry > pending": "retry",
      "waiting_for_retry > complete": "complete_manually",
      "waiting_for_retry > cancelled": "cancel",
      "waiting_for_retry > resolved_manually": "resolve_manually",
      "complete > resolved_manually": "resolve_manually",
      "error > pending": "retry",
      "error > complete": "complete_manually",
      "error > cancelled": "cancel",
      "error > resolved_manually": "resolve_manually",
      "cancelled > resolved_manually": "resolve_manually"
    }'::jsonb ->> (from_state || ' > ' || to_state)
  )
$$;
