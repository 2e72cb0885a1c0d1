-- Every message of every worker queue with the step that it names; null where it names none. For
-- checks and repairs, not for the hot path.
CREATE FUNCTION tasker_worker_messages() RETURNS TABLE (
  queue_name text,
  msg_id bigint,
  workflow_step_uuid uuid
)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  queue record;
BEGIN
  FOR queue IN
    SELECT m.queue_name AS name
    FROM pgmq.meta AS m
    WHERE m.queue_name ~ '^worker_.+_queue$'
    ORDER BY m.queue_name
  LOOP
    RETURN QUERY EXECUTE format(
      'SELECT
         $1,
         q.msg_id,
         CASE
           WHEN q.message ->> ''step_uuid'' ~ ''^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$''
             THEN (q.message ->> ''step_uuid'')::uuid
         END
       FROM pgmq.%I AS q',
      'q_' || queue.name
    )
    USING queue.name::text;
  END LOOP;
END
$$;
