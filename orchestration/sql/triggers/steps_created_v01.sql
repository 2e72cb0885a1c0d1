-- Writes the first history rows of new steps. Any state may be inserted (imports, factories): one row.
-- Only creation inserts a step behind its first move, with state_version 2: it was created as pending,
-- and the hop is judged and recorded as by steps_moved. One statement for the whole insert: the steps
-- of a task are inserted as a set, and no other table is joined.
CREATE FUNCTION steps_created() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
  move jsonb := coalesce(
    nullif(current_setting('tasker.move', true), '')::jsonb,
    jsonb_build_object('actor', current_user)
  );
  details jsonb := move - '{event,actor,processor_uuid,worker_uuid}'::text[];
  last_event text := move ->> 'event';
  mover text := move ->> 'actor';
  processor uuid := (move ->> 'processor_uuid')::uuid;
BEGIN
  INSERT INTO tasker_workflow_step_transitions (
    workflow_step_uuid, sort_key, from_state, to_state, event, attempt,
    processor_uuid, actor, metadata, created_at
  )
  SELECT
    h.workflow_step_uuid, h.place, h.from_state, h.to_state,
    CASE
      WHEN h.place = 1 THEN 'created'
      ELSE coalesce(
        step_move_event(h.from_state, h.to_state, last_event),
        tasker_refuse_move(
          format(
            'Step %s (%s): illegal move %s -> %s',
            h.workflow_step_uuid, h.name, h.from_state, h.to_state
          )
        )
      )
    END,
    h.attempts, processor, mover, details, h.state_entered_at
  FROM (
    SELECT
      s.workflow_step_uuid, s.name, s.attempts, s.state_entered_at, p.place,
      CASE WHEN p.place = 2 THEN 'pending' END AS from_state,
      CASE WHEN p.place = s.state_version THEN s.state ELSE 'pending' END AS to_state
    FROM new_steps AS s
    CROSS JOIN LATERAL generate_series(1, s.state_version) AS p (place)
  ) AS h;
  RETURN NULL;
END
$$;

CREATE TRIGGER steps_created
AFTER INSERT ON tasker_workflow_steps
REFERENCING NEW TABLE AS new_steps
FOR EACH STATEMENT
EXECUTE FUNCTION steps_created();
