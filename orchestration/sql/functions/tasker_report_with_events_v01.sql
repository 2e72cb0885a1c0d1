-- tasker_report_steps for reports of which some bring durable domain events: those of accepted reports
-- are sent in the same transaction. The three arrays run side by side, one entry for each event; the
-- answer holds a step's event errors in the order given, null for one that was sent.
-- p_advance and p_is_quiet are those of tasker_report_steps.
-- Called by queries/steps.py. Locks: those of tasker_report_steps, then the queues of the events.
CREATE FUNCTION tasker_report_with_events(
  p_reports jsonb,
  p_event_steps uuid[],
  p_event_queues text[],
  p_event_messages text[],
  p_advance int DEFAULT 0,
  p_is_quiet boolean DEFAULT false
)
RETURNS TABLE (
  workflow_step_uuid uuid,
  accepted boolean,
  task_state varchar,
  enqueued_steps int,
  event_errors text[]
)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
  v_reported uuid[];
  v_states varchar[];
  v_counts int[];
  v_accepted uuid[];
  v_steps uuid[];
  v_queues text[];
  v_messages text[];
  v_errors text[];
BEGIN
  SELECT
    array_agg(r.workflow_step_uuid),
    array_agg(r.task_state),
    array_agg(r.enqueued_steps),
    array_agg(r.workflow_step_uuid) FILTER (WHERE r.accepted)
  INTO v_reported, v_states, v_counts, v_accepted
  FROM tasker_report_steps(p_reports, p_advance, p_is_quiet) AS r;

  SELECT
    array_agg(e.step_uuid ORDER BY e.place),
    array_agg(e.queue ORDER BY e.place),
    array_agg(e.message ORDER BY e.place)
  INTO v_steps, v_queues, v_messages
  FROM unnest(p_event_steps, p_event_queues, p_event_messages)
    WITH ORDINALITY AS e (step_uuid, queue, message, place)
  WHERE e.step_uuid = ANY(v_accepted);

  v_errors := tasker_publish_events(v_queues, v_messages);

  RETURN QUERY
    SELECT
      r.step_uuid,
      r.step_uuid = ANY(coalesce(v_accepted, '{}')),
      r.task_state,
      r.enqueued_steps,
      ARRAY(
        SELECT e.error
        FROM unnest(v_steps, v_errors) WITH ORDINALITY AS e (step_uuid, error, place)
        WHERE e.step_uuid = r.step_uuid
        ORDER BY e.place
      )
    FROM unnest(v_reported, v_states, v_counts) AS r (step_uuid, task_state, enqueued_steps);
END
$$;
