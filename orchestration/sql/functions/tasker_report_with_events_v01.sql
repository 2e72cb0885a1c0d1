-- tasker_report_steps for reports of which some bring durable domain events: those of accepted reports
-- are sent in the same transaction. The three arrays run side by side, one entry for each event; the
-- answer holds a step's event errors in the order given, null for one that was sent.
-- p_advance, p_take and p_lease_seconds are those of tasker_report_steps.
-- Called by queries/steps.py. Locks: those of tasker_report_steps, then the queues of the events.
CREATE FUNCTION tasker_report_with_events(
  p_reports jsonb,
  p_event_steps uuid[],
  p_event_queues text[],
  p_event_messages text[],
  p_advance int DEFAULT 0,
  p_take int DEFAULT NULL,
  p_lease_seconds int DEFAULT 30
)
RETURNS TABLE (
  workflow_step_uuid uuid,
  accepted boolean,
  task_state varchar,
  enqueued_steps int,
  taken_steps uuid[],
  event_errors text[]
)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH verdicts AS MATERIALIZED (
      SELECT * FROM tasker_report_steps(p_reports, p_advance, p_take, p_lease_seconds)
    ),
    published AS MATERIALIZED (
      SELECT
        array_agg(e.step_uuid ORDER BY e.place) AS steps,
        tasker_publish_events(
          array_agg(e.queue ORDER BY e.place),
          array_agg(e.message ORDER BY e.place)
        ) AS errors
      FROM unnest(p_event_steps, p_event_queues, p_event_messages)
        WITH ORDINALITY AS e (step_uuid, queue, message, place)
      WHERE EXISTS (
        SELECT FROM verdicts AS v WHERE v.workflow_step_uuid = e.step_uuid AND v.accepted
      )
    )
    SELECT
      v.workflow_step_uuid,
      v.accepted,
      v.task_state,
      v.enqueued_steps,
      v.taken_steps,
      ARRAY(
        SELECT e.error
        FROM published AS p
        CROSS JOIN LATERAL unnest(p.steps, p.errors) WITH ORDINALITY AS e (step_uuid, error, place)
        WHERE e.step_uuid = v.workflow_step_uuid
        ORDER BY e.place
      )
    FROM verdicts AS v;
END
$$;
