-- The event of a legal move of a task: the hint if it is legal for the pair, else the default;
-- null for an illegal pair. Trigger tasks_moved asks for every hop, and inlines this one expression:
-- two constants, because a CASE of all pairs is set up anew for every statement that moves something.
-- The graph is declared on the model; a test compares the two in both directions.
CREATE OR REPLACE FUNCTION task_move_event(from_state text, to_state text, hint text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT coalesce(
    '{
      "enqueuing_steps > error: timeout": "timeout",
      "steps_in_process > evaluating_results: step_failed": "step_failed",
      "steps_in_process > evaluating_results: reevaluate": "reevaluate",
      "steps_in_process > evaluating_results: all_steps_completed": "all_steps_completed",
      "steps_in_process > error: timeout": "timeout",
      "waiting_for_dependencies > evaluating_results: reevaluate": "reevaluate",
      "waiting_for_retry > evaluating_results: reevaluate": "reevaluate",
      "blocked_by_failures > error: timeout": "timeout",
      "blocked_by_failures > resolved_manually: resolve_manually": "resolve_manually"
    }'::jsonb ->> (from_state || ' > ' || to_state || ': ' || hint),
    '{
      "pending > initializing": "start",
      "pending > error": "timeout",
      "pending > cancelled": "cancel",
      "pending > resolved_manually": "resolve_manually",
      "initializing > enqueuing_steps": "ready_steps_found",
      "initializing > waiting_for_dependencies": "no_dependencies_ready",
      "initializing > complete": "no_steps_found",
      "initializing > error": "timeout",
      "initializing > cancelled": "cancel",
      "initializing > resolved_manually": "resolve_manually",
      "enqueuing_steps > steps_in_process": "steps_enqueued",
      "enqueuing_steps > error": "enqueue_failed",
      "enqueuing_steps > cancelled": "cancel",
      "enqueuing_steps > resolved_manually": "resolve_manually",
      "steps_in_process > evaluating_results": "step_completed",
      "steps_in_process > waiting_for_retry": "step_failed",
      "steps_in_process > complete": "complete",
      "steps_in_process > error": "fail",
      "steps_in_process > cancelled": "cancel",
      "steps_in_process > resolved_manually": "resolve_manually",
      "evaluating_results > enqueuing_steps": "ready_steps_found",
      "evaluating_results > steps_in_process": "steps_in_flight",
      "evaluating_results > waiting_for_dependencies": "no_dependencies_ready",
      "evaluating_results > waiting_for_retry": "retry_scheduled",
      "evaluating_results > blocked_by_failures": "permanent_failure",
      "evaluating_results > complete": "all_steps_successful",
      "evaluating_results > error": "timeout",
      "evaluating_results > cancelled": "cancel",
      "evaluating_results > resolved_manually": "resolve_manually",
      "waiting_for_dependencies > evaluating_results": "dependencies_ready",
      "waiting_for_dependencies > error": "timeout",
      "waiting_for_dependencies > cancelled": "cancel",
      "waiting_for_dependencies > resolved_manually": "resolve_manually",
      "waiting_for_retry > enqueuing_steps": "retry_ready",
      "waiting_for_retry > evaluating_results": "dependencies_ready",
      "waiting_for_retry > error": "timeout",
      "waiting_for_retry > cancelled": "cancel",
      "waiting_for_retry > resolved_manually": "resolve_manually",
      "blocked_by_failures > evaluating_results": "reevaluate",
      "blocked_by_failures > error": "give_up",
      "blocked_by_failures > cancelled": "cancel",
      "blocked_by_failures > resolved_manually": "manual_resolution",
      "error > pending": "reset"
    }'::jsonb ->> (from_state || ' > ' || to_state)
  )
$$;
