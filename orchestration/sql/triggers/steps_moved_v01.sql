-- Judges and records every move of the steps that one statement moved: a history row for each hop, and
-- for each hop into a reported state an audit row, so there is one for every attempt that returned
-- something. Who and why come from the transaction-local setting tasker.move; without it the actor is
-- the database user. Once a statement, not once a row: a move costs a third of what it did.
CREATE FUNCTION steps_moved() RETURNS trigger
LANGUAGE plpgsql
SET enable_nestloop = off -- the planner does not know how many rows a later statement will move
SET enable_seqscan = off -- nor how many tasks there will be: a plan of empty tables reads all of them
AS $$
DECLARE
  move jsonb := coalesce(
    nullif(current_setting('tasker.move', true), '')::jsonb,
    jsonb_build_object('actor', current_user)
  );
  details jsonb := move - '{event,actor,processor_uuid,worker_uuid}'::text[];
  last_event text := move ->> 'event';
  actor text := move ->> 'actor';
  mover uuid := (move ->> 'worker_uuid')::uuid;
  processor uuid := (move ->> 'processor_uuid')::uuid;
BEGIN
  WITH hops AS (
    SELECT
      n.workflow_step_uuid, n.name, n.attempts, n.state, n.via, n.state_entered_at,
      o.state AS old_state,
      o.attempts AS old_attempts,
      o.state_version AS old_version,
      n.state_version - o.state_version AS hop_count,
      generate_series(1, n.state_version - o.state_version) AS place,
      coalesce(mover, o.claimed_by) AS old_worker,
      coalesce(mover, n.claimed_by, o.claimed_by) AS new_worker
    FROM new_steps AS n
    JOIN old_steps AS o ON o.workflow_step_uuid = n.workflow_step_uuid
  ),
  moves AS (
    SELECT
      h.*,
      CASE WHEN h.place = 1 THEN h.old_state ELSE split_part(h.via[h.place], ':', 1) END
        AS from_state,
      CASE WHEN h.place = h.hop_count THEN h.state ELSE split_part(h.via[h.place + 1], ':', 1) END
        AS to_state,
      CASE WHEN h.place = h.hop_count THEN last_event ELSE split_part(h.via[h.place + 1], ':', 2) END
        AS hint,
      -- a claim is the last hop: those before it do not belong to the attempt
      CASE WHEN h.place = h.hop_count THEN h.attempts ELSE h.old_attempts END AS attempt,
      CASE WHEN h.place = h.hop_count THEN h.new_worker ELSE h.old_worker END AS worker
    FROM hops AS h
  ),
  recorded AS (
    INSERT INTO tasker_workflow_step_transitions (
      workflow_step_uuid, sort_key, from_state, to_state, event, attempt,
      worker_uuid, processor_uuid, actor, metadata, created_at
    )
    SELECT
      m.workflow_step_uuid, m.old_version + m.place, m.from_state, m.to_state,
      coalesce(
        step_move_event(m.from_state, m.to_state, m.hint),
        tasker_refuse_move(
          format(
            'Step %s (%s): illegal move %s -> %s',
            m.workflow_step_uuid, m.name, m.from_state, m.to_state
          )
        )
      ),
      m.attempt, m.worker, processor, coalesce(actor, 'system:' || m.worker), details,
      m.state_entered_at
    FROM moves AS m
    RETURNING workflow_step_transition_uuid, workflow_step_uuid, to_state, worker_uuid
  )
  INSERT INTO tasker_workflow_step_result_audit (
    workflow_step_uuid, transition_uuid, task_uuid, worker_uuid, correlation_id, attempt,
    success, execution_time_ms, error_type, recorded_at, created_at
  )
  SELECT
    r.workflow_step_uuid, r.workflow_step_transition_uuid, n.task_uuid, r.worker_uuid,
    (SELECT t.correlation_id FROM tasker_tasks AS t WHERE t.task_uuid = n.task_uuid),
    n.attempts,
    r.to_state = 'enqueued_for_orchestration',
    CASE jsonb_typeof(n.results #> '{metadata,execution_time_ms}')
      WHEN 'number' THEN (n.results #>> '{metadata,execution_time_ms}')::numeric::bigint
    END,
    left(n.results #>> '{error,error_type}', 255),
    n.state_entered_at, n.state_entered_at
  FROM recorded AS r
  JOIN new_steps AS n ON n.workflow_step_uuid = r.workflow_step_uuid
  WHERE r.to_state IN ('enqueued_for_orchestration', 'enqueued_as_error_for_orchestration');
  RETURN NULL;
END
$$;

CREATE TRIGGER steps_moved
AFTER UPDATE ON tasker_workflow_steps
REFERENCING OLD TABLE AS old_steps NEW TABLE AS new_steps
FOR EACH STATEMENT
EXECUTE FUNCTION steps_moved();
