-- The namespace that a queue's name tells; it becomes part of notification channels.
CREATE FUNCTION extract_queue_namespace(queue_name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE
    WHEN queue_name LIKE 'orchestration%' THEN 'orchestration'
    ELSE coalesce(
      substring(queue_name FROM '^worker_(.+)_queue$'),
      substring(queue_name FROM '^(.+)_domain_events$'),
      substring(queue_name FROM '^(.+)_queue$'),
      'default'
    )
  END
$$;
