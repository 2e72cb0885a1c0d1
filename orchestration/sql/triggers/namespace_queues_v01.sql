-- Creates the worker queue of a new namespace; the registry knows no queue.
CREATE FUNCTION namespace_queues() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM pgmq_create_queue_with_notify('worker_' || NEW.name || '_queue');
  RETURN NULL;
END
$$;

CREATE TRIGGER namespace_queues
AFTER INSERT ON tasker_task_namespaces
FOR EACH ROW
EXECUTE FUNCTION namespace_queues();

SELECT pgmq_create_queue_with_notify('worker_' || name || '_queue')
FROM tasker_task_namespaces;
