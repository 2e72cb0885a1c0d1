-- Makes the live messages of enqueued steps visible now and notifies; where there is none (steps taken
-- with a report have no message, others may have been purged), one is sent. Called by
-- tasker_reap_leases, tasker_release_steps and lifecycle/sweep.py, which hold the steps.
CREATE OR REPLACE FUNCTION tasker_show_messages_again(p_steps uuid[])
RETURNS int
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
DECLARE
  v_step record;
  v_msg_id bigint;
  v_count int := 0;
BEGIN
  FOR v_step IN
    SELECT
      s.workflow_step_uuid, s.task_uuid, s.queue_msg_id, t.correlation_id,
      'worker_' || n.name || '_queue' AS queue
    FROM tasker_workflow_steps AS s
    JOIN tasker_tasks AS t ON t.task_uuid = s.task_uuid
    JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
    JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
    WHERE s.workflow_step_uuid = ANY(p_steps)
      AND s.state = 'enqueued'
  LOOP
    v_count := v_count + 1;
    PERFORM pgmq.set_vt(v_step.queue, v_step.queue_msg_id, 0);
    IF FOUND THEN
      PERFORM tasker_notify_messages(v_step.queue, ARRAY[v_step.queue_msg_id]);
    ELSE
      v_msg_id := pgmq_send_with_notify(
        v_step.queue,
        jsonb_build_object(
          'task_uuid', v_step.task_uuid,
          'step_uuid', v_step.workflow_step_uuid,
          'correlation_id', v_step.correlation_id
        )
      );
      UPDATE tasker_workflow_steps
      SET queue_msg_id = v_msg_id
      WHERE workflow_step_uuid = v_step.workflow_step_uuid;
    END IF;
  END LOOP;
  RETURN v_count;
END
$$;
