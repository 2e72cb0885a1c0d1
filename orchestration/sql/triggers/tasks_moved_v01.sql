-- Judges and records every move of the tasks that one statement moved: one history row for each hop.
-- Who and why come from the transaction-local setting tasker.move; without it the actor is the
-- database user.
CREATE FUNCTION tasks_moved() RETURNS trigger
LANGUAGE plpgsql
SET enable_nestloop = off -- the planner does not know how many rows a later statement will move
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
  WITH hops AS (
    SELECT
      n.task_uuid, n.state, n.via, n.state_entered_at,
      o.state AS old_state,
      o.state_version AS old_version,
      n.state_version - o.state_version AS hop_count,
      generate_series(1, n.state_version - o.state_version) AS place
    FROM new_tasks AS n
    JOIN old_tasks AS o ON o.task_uuid = n.task_uuid
  ),
  moves AS (
    SELECT
      h.*,
      CASE WHEN h.place = 1 THEN h.old_state ELSE split_part(h.via[h.place], ':', 1) END
        AS from_state,
      CASE WHEN h.place = h.hop_count THEN h.state ELSE split_part(h.via[h.place + 1], ':', 1) END
        AS to_state,
      CASE WHEN h.place = h.hop_count THEN last_event ELSE split_part(h.via[h.place + 1], ':', 2) END
        AS hint
    FROM hops AS h
  )
  INSERT INTO tasker_task_transitions (
    task_uuid, sort_key, from_state, to_state, event,
    processor_uuid, actor, metadata, created_at
  )
  SELECT
    m.task_uuid, m.old_version + m.place, m.from_state, m.to_state,
    coalesce(
      task_move_event(m.from_state, m.to_state, m.hint),
      tasker_refuse_move(
        format('Task %s: illegal move %s -> %s', m.task_uuid, m.from_state, m.to_state)
      )
    ),
    processor, mover, details, m.state_entered_at
  FROM moves AS m;
  RETURN NULL;
END
$$;

CREATE TRIGGER tasks_moved
AFTER UPDATE ON tasker_tasks
REFERENCING OLD TABLE AS old_tasks NEW TABLE AS new_tasks
FOR EACH STATEMENT
EXECUTE FUNCTION tasks_moved();
