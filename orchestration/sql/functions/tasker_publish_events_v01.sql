-- Sends durable domain events to the queues of their namespaces; returns per event why it could not be
-- sent, null when it was. Never raises: behind a savepoint, and waiting for no lock for long.
-- Called by tasker_report_with_events. First all at once; if that fails, one by one, so that a bad one
-- takes no other with it, and a queue that somebody dropped comes back.
CREATE FUNCTION tasker_publish_events(p_queues text[], p_messages text[]) RETURNS text[]
LANGUAGE plpgsql
SET lock_timeout = '500ms'
AS $$
DECLARE
  v_count int := coalesce(cardinality(p_messages), 0);
  v_errors text[] := array_fill(NULL::text, ARRAY[v_count]);
  v_locked text[] := '{}';
  v_queue text;
BEGIN
  BEGIN
    FOR v_queue IN SELECT DISTINCT q FROM unnest(p_queues) AS x (q) LOOP
      PERFORM pgmq_send_batch_with_notify(
        v_queue,
        ARRAY(
          SELECT x.message::jsonb
          FROM unnest(p_queues, p_messages) WITH ORDINALITY AS x (q, message, place)
          WHERE x.q = v_queue
          ORDER BY x.place
        )
      );
    END LOOP;
    RETURN v_errors;
  EXCEPTION
    WHEN OTHERS THEN
      NULL;
  END;
  FOR v_place IN 1 .. v_count LOOP
    v_queue := p_queues[v_place];
    IF v_queue = ANY(v_locked) THEN
      v_errors[v_place] := 'the queue is locked';
      CONTINUE;
    END IF;
    BEGIN
      PERFORM pgmq_create_queue_with_notify(v_queue);
      PERFORM pgmq_send_with_notify(v_queue, p_messages[v_place]::jsonb);
    EXCEPTION
      WHEN lock_not_available THEN
        v_locked := v_locked || v_queue;
        v_errors[v_place] := 'the queue is locked';
      WHEN OTHERS THEN
        v_errors[v_place] := SQLERRM;
    END;
  END LOOP;
  RETURN v_errors;
END
$$;
