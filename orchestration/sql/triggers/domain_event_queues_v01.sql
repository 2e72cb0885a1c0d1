-- Creates the queue of a new namespace's durable domain events, as namespace_queues does for steps.
CREATE FUNCTION domain_event_queues() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM pgmq_create_queue_with_notify(NEW.name || '_domain_events');
  RETURN NULL;
END
$$;

CREATE TRIGGER domain_event_queues
AFTER INSERT ON tasker_task_namespaces
FOR EACH ROW
EXECUTE FUNCTION domain_event_queues();

SELECT pgmq_create_queue_with_notify(name || '_domain_events')
FROM tasker_task_namespaces;
