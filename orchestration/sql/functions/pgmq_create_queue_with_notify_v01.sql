-- Creates a queue if it is absent (true if it is new) and tells who listens. Queues turn over fast,
-- so dead rows are cleared early and without rests; why, says migration 0008_retention.
CREATE FUNCTION pgmq_create_queue_with_notify(queue_name text) RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  table_name text := 'q_' || queue_name;
BEGIN
  IF queue_name IS NULL OR queue_name !~ '^[a-z0-9_]{1,47}$' THEN
    RAISE invalid_parameter_value
      USING MESSAGE = format('Queue name %L is not allowed', queue_name),
        HINT = 'Use 1 to 47 characters of a-z, 0-9 and _';
  END IF;
  IF to_regclass(format('pgmq.%I', table_name)) IS NOT NULL THEN
    RETURN false;
  END IF;
  -- Of several sessions that create one queue, the first one answers true.
  PERFORM pg_advisory_xact_lock(hashtextextended('tasker.queue.' || queue_name, 0));
  IF to_regclass(format('pgmq.%I', table_name)) IS NOT NULL THEN
    RETURN false;
  END IF;
  PERFORM pgmq.create(queue_name);
  EXECUTE format(
    'ALTER TABLE pgmq.%I SET ('
    || 'autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02, '
    || 'autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off)',
    table_name
  );
  PERFORM pg_notify('pgmq_queue_created', json_build_object(
    'event_type', 'queue_created',
    'queue_name', queue_name,
    'namespace', extract_queue_namespace(queue_name),
    'created_at', clock_timestamp()
  )::text);
  RETURN true;
END
$$;
