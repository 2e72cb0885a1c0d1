-- Inserts tasks of one template with their initial steps and edges, and starts them if all may start:
-- every row is written once, in the state in which it leaves the transaction. Answers the tasks whose
-- identity was free, the room in their queue before that, and of started ones the first steps with
-- their messages. One INSERT for all tasks, one for all steps, one for all edges, for a single task too.
-- p_tasks: [{columns}]; p_steps: [{name, system, step_type, …}], what every one of them starts with;
-- p_edges: [[parent, child]] by places in p_steps, the first is 1.
-- p_path: the states through which a task goes that starts, the last one is where it stays; null = the
-- tasks stay pending. Then the steps without a parent are enqueued, as tasker_enqueue_ready_steps would.
-- p_high_water: where the last of the tasks would find as many messages in the queue, none starts.
-- p_move: who creates them and why, for the rest of the transaction as well (tasks/announce).
-- Called by queries/tasks.py inside the creating transaction. Locks: nothing but the new rows; a
-- concurrent creation of the same identity waits for the first to commit. Identities are taken in their
-- own order, so that two calls cannot wait for each other; what stands first in p_tasks is older all
-- the same, by a microsecond.
CREATE OR REPLACE FUNCTION tasker_create_tasks(
  p_move text,
  p_named_task uuid,
  p_revision uuid,
  p_tasks jsonb,
  p_steps jsonb,
  p_edges jsonb,
  p_path text[],
  p_high_water int
)
RETURNS TABLE (
  identity_hash text,
  task_uuid uuid,
  created_at timestamptz,
  correlation_id uuid,
  queue_room int,
  step_uuids uuid[],
  msg_ids bigint[]
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz := tasker_now();
  v_width int := jsonb_array_length(p_steps);
  v_names text[];
  v_step_types uuid[];
  v_identities text[];
  v_tasks uuid[];
  v_created timestamptz[];
  v_correlations uuid[];
  v_bypassed jsonb[];
  v_steps uuid[];
  v_done uuid[];
  v_queue text;
  v_room int;
  v_roots int[];
  v_root_count int;
  v_first_steps uuid[];
  v_messages bigint[];
  v_starts boolean;
BEGIN
  PERFORM set_config('tasker.move', p_move, true);

  SELECT 'worker_' || n.name || '_queue' INTO v_queue
  FROM tasker_named_tasks AS nt
  JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
  WHERE nt.named_task_uuid = p_named_task;
  v_room := p_high_water - tasker_count_messages(v_queue, p_high_water);

  SELECT
    array_agg(r.step ->> 'name' ORDER BY r.place),
    array_agg(r.place::int ORDER BY r.step ->> 'name')
      FILTER (WHERE (r.step ->> 'is_root')::boolean)
  INTO v_names, v_roots
  FROM jsonb_array_elements(p_steps) WITH ORDINALITY AS r (step, place);
  v_step_types := tasker_step_types(p_steps);
  IF array_position(v_step_types, NULL) IS NOT NULL THEN
    RAISE foreign_key_violation
      USING MESSAGE = format(
        'Template %s: %s of its %s steps have a registered step type; run sync_templates',
        p_named_task, cardinality(array_remove(v_step_types, NULL)), v_width
      );
  END IF;
  v_root_count := cardinality(v_roots);
  v_starts := p_path IS NOT NULL
    AND v_root_count > 0
    AND v_room > (jsonb_array_length(p_tasks) - 1) * v_root_count;

  WITH inserted AS (
    INSERT INTO tasker_tasks (
      named_task_uuid, template_revision_uuid, context, initiator, source_system, reason, tags,
      bypass_steps, options, priority, identity_hash, idempotency_key, request_hash, created_at,
      updated_at, state_entered_at, requested_at, correlation_id, parent_correlation_id, state,
      state_version, via
    )
    SELECT
      p_named_task, p_revision, r.context, r.initiator, r.source_system, r.reason, r.tags,
      r.bypass_steps, r.options, r.priority, r.identity_hash, r.idempotency_key, r.request_hash,
      m.moment, m.moment, m.moment, coalesce(r.requested_at, v_now),
      coalesce(r.correlation_id, uuid_generate_v7()), r.parent_correlation_id,
      CASE WHEN v_starts THEN p_path[cardinality(p_path)] ELSE 'pending' END,
      CASE WHEN v_starts THEN 1 + cardinality(p_path) ELSE 1 END,
      CASE WHEN v_starts THEN '{#}' || trim_array(p_path, 1) END
    FROM ROWS FROM (
      jsonb_to_recordset(p_tasks) AS (
        context jsonb, initiator text, source_system text, reason text, tags jsonb,
        bypass_steps jsonb, options jsonb, priority int, identity_hash text, idempotency_key text,
        request_hash text, requested_at timestamptz, correlation_id uuid,
        parent_correlation_id uuid
      )
    ) WITH ORDINALITY AS r (
      context, initiator, source_system, reason, tags, bypass_steps, options, priority,
      identity_hash, idempotency_key, request_hash, requested_at, correlation_id,
      parent_correlation_id, place
    )
    CROSS JOIN LATERAL (SELECT v_now + (r.place - 1) * interval '1 microsecond') AS m (moment)
    ORDER BY r.identity_hash
    ON CONFLICT (identity_hash) DO NOTHING
    RETURNING identity_hash, task_uuid, created_at, correlation_id, bypass_steps, schedule_key
  )
  SELECT
    array_agg(i.identity_hash), array_agg(i.task_uuid), array_agg(i.created_at),
    array_agg(i.correlation_id), array_agg(i.bypass_steps)
  INTO v_identities, v_tasks, v_created, v_correlations, v_bypassed
  FROM (SELECT * FROM inserted ORDER BY schedule_key DESC) AS i;
  IF v_tasks IS NULL THEN
    RETURN;
  END IF;

  -- Known before they are inserted, so that edges need no look at the steps: those of the first task,
  -- those of the second …
  v_steps := ARRAY(
    SELECT uuid_generate_v7() FROM generate_series(1, cardinality(v_tasks) * v_width)
  );
  IF v_starts THEN
    v_first_steps := ARRAY(
      SELECT v_steps[t.place * v_width + r.place]
      FROM generate_series(0, cardinality(v_tasks) - 1) AS t (place)
      CROSS JOIN unnest(v_roots) WITH ORDINALITY AS r (place, rank)
      ORDER BY t.place, r.rank
    );
    v_messages := tasker_send_first_steps(v_queue, v_tasks, v_correlations, v_first_steps);
  END IF;

  WITH step AS MATERIALIZED (
    SELECT r.*, array_position(v_roots, r.place::int) AS rank
    FROM ROWS FROM (
      jsonb_to_recordset(p_steps) AS (
        name text, step_type text, retryable boolean, max_attempts int, backoff_strategy text,
        backoff_base_ms int, max_backoff_ms int, timeout_seconds int, inputs jsonb
      )
    ) WITH ORDINALITY AS r (
      name, step_type, retryable, max_attempts, backoff_strategy, backoff_base_ms, max_backoff_ms,
      timeout_seconds, inputs, place
    )
  )
  INSERT INTO tasker_workflow_steps (
    workflow_step_uuid, task_uuid, named_step_uuid, name, step_type, retryable, max_attempts,
    backoff_strategy, backoff_base_ms, max_backoff_ms, timeout_seconds, inputs, created_at,
    updated_at, state_entered_at, state, state_version, queue_msg_id
  )
  SELECT
    v_steps[(t.place - 1) * v_width + s.place], t.task_uuid, v_step_types[s.place], s.name,
    s.step_type, s.retryable, s.max_attempts, s.backoff_strategy, s.backoff_base_ms,
    s.max_backoff_ms, s.timeout_seconds, s.inputs, t.created_at, t.created_at, t.created_at,
    CASE WHEN v_starts AND s.rank > 0 THEN 'enqueued' ELSE 'pending' END,
    CASE WHEN v_starts AND s.rank > 0 THEN 2 ELSE 1 END,
    v_messages[(t.place - 1) * v_root_count + s.rank]
  FROM unnest(v_tasks, v_created) WITH ORDINALITY AS t (task_uuid, created_at, place)
  CROSS JOIN step AS s
  ORDER BY t.place, s.place;

  WITH edge AS MATERIALIZED (
    SELECT (e.pair ->> 0)::int AS parent, (e.pair ->> 1)::int AS child
    FROM jsonb_array_elements(p_edges) AS e (pair)
  )
  INSERT INTO tasker_workflow_step_edges (from_step_uuid, to_step_uuid, created_at, updated_at)
  SELECT
    v_steps[(t.place - 1) * v_width + e.parent], v_steps[(t.place - 1) * v_width + e.child],
    t.created_at, t.created_at
  FROM unnest(v_created) WITH ORDINALITY AS t (created_at, place)
  CROSS JOIN edge AS e
  ORDER BY t.place;

  v_done := ARRAY(
    SELECT v_steps[(t.place - 1) * v_width + s.place]
    FROM unnest(v_bypassed) WITH ORDINALITY AS t (names, place)
    CROSS JOIN unnest(v_names) WITH ORDINALITY AS s (name, place)
    WHERE t.names <> '[]'
      AND t.names ? s.name
  );
  IF cardinality(v_done) > 0 THEN
    UPDATE tasker_workflow_steps AS s
    SET state = 'resolved_manually'
    WHERE s.workflow_step_uuid = ANY(v_done);
  END IF;

  RETURN QUERY
    SELECT
      t.identity, t.task_uuid, t.created_at, t.correlation_id, v_room,
      v_first_steps[(t.place - 1) * v_root_count + 1 : t.place * v_root_count],
      v_messages[(t.place - 1) * v_root_count + 1 : t.place * v_root_count]
    FROM unnest(v_identities, v_tasks, v_created, v_correlations)
      WITH ORDINALITY AS t (identity, task_uuid, created_at, correlation_id, place);
END
$$;
