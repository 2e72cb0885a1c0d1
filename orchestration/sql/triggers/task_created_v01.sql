-- Writes the first history rows of new tasks. Any state may be inserted (imports, factories): one row.
-- Only creation inserts a task behind its first move, with the state_version that counts the hops and
-- those before the last one in `via`, behind a '#', as task_moves leaves them: the task was created as
-- pending, and each hop is judged and recorded as by tasks_moved.
CREATE FUNCTION task_created() RETURNS trigger
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
  INSERT INTO tasker_task_transitions (
    task_uuid, sort_key, from_state, to_state, event, processor_uuid, actor, metadata,
    created_at
  )
  SELECT
    m.task_uuid, m.place, m.from_state, m.to_state,
    CASE
      WHEN m.place = 1 THEN 'created'
      ELSE coalesce(
        task_move_event(m.from_state, m.to_state, m.hint),
        tasker_refuse_move(
          format('Task %s: illegal move %s -> %s', m.task_uuid, m.from_state, m.to_state)
        )
      )
    END,
    processor, mover, details, m.state_entered_at
  FROM (
    SELECT
      h.task_uuid, h.place, h.state_entered_at,
      CASE
        WHEN h.place = 2 THEN 'pending'
        WHEN h.place > 2 THEN split_part(h.via[h.place - 1], ':', 1)
      END AS from_state,
      CASE
        WHEN h.place = h.state_version THEN h.state
        WHEN h.place = 1 THEN 'pending'
        ELSE split_part(h.via[h.place], ':', 1)
      END AS to_state,
      CASE
        WHEN h.place = h.state_version THEN last_event
        ELSE split_part(h.via[h.place], ':', 2)
      END AS hint
    FROM (
      SELECT
        n.task_uuid, n.state, n.state_version, n.via, n.state_entered_at,
        generate_series(1, n.state_version) AS place
      FROM new_tasks AS n
    ) AS h
  ) AS m;
  RETURN NULL;
END
$$;

CREATE TRIGGER task_created
AFTER INSERT ON tasker_tasks
REFERENCING NEW TABLE AS new_tasks
FOR EACH STATEMENT
EXECUTE FUNCTION task_created();
