-- The execution result (engine.md 6.3) of a failure that the engine itself declares.
CREATE OR REPLACE FUNCTION tasker_engine_failure(
  p_step uuid,
  p_error_type text,
  p_error_code text,
  p_message text
)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
AS $$
  SELECT jsonb_build_object(
    'step_uuid', p_step,
    'success', false,
    'result', '{}'::jsonb,
    'status', 'error',
    'metadata', jsonb_build_object(
      'retryable', false, 'error_type', p_error_type, 'error_code', p_error_code,
      'context', '{}'::jsonb, 'custom', '{}'::jsonb
    ),
    'error', jsonb_build_object(
      'message', p_message, 'error_type', p_error_type, 'backtrace', '[]'::jsonb,
      'retryable', false, 'status_code', NULL, 'context', '{}'::jsonb
    ),
    'orchestration_metadata', NULL
  )
$$;
