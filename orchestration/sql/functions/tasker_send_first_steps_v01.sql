-- Puts the first steps of new tasks on their worker queue: one batch of messages and one notification;
-- answers the ids of the messages. p_steps: as many for each task, in the order of the tasks, which is
-- that of the queue. A missing queue is created.
-- Called by tasker_create_tasks. Locks: nothing; the messages are new.
CREATE OR REPLACE FUNCTION tasker_send_first_steps(
  p_queue text,
  p_tasks uuid[],
  p_correlations uuid[],
  p_steps uuid[]
)
RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
  v_each int := cardinality(p_steps) / cardinality(p_tasks);
BEGIN
  IF to_regclass(format('pgmq.%I', 'q_' || p_queue)) IS NULL THEN
    PERFORM pgmq_create_queue_with_notify(p_queue);
  END IF;
  RETURN ARRAY(
    SELECT *
    FROM pgmq_send_batch_with_notify(
      p_queue,
      ARRAY(
        SELECT jsonb_build_object(
          'task_uuid', p_tasks[(s.place - 1) / v_each + 1],
          'step_uuid', s.step_uuid,
          'correlation_id', p_correlations[(s.place - 1) / v_each + 1]
        )
        FROM unnest(p_steps) WITH ORDINALITY AS s (step_uuid, place)
        ORDER BY s.place
      )
    )
  );
END
$$;
