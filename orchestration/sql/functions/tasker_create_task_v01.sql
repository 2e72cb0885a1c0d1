-- Inserts one task with its initial steps and edges, unless its identity is taken: then no row.
-- p_task: columns; p_steps: [{name, step_type, retryable, …, bypassed}]; p_edges: [[parent, child]].
-- Called by queries/tasks.py inside the creating transaction. Locks: nothing but the new rows;
-- a concurrent creation of the same identity waits for the first to commit.
CREATE OR REPLACE FUNCTION tasker_create_task(p_task jsonb, p_steps jsonb, p_edges jsonb)
RETURNS TABLE (task_uuid uuid, created_at timestamptz, correlation_id uuid)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_task tasker_tasks;
  v_names text[];
  v_steps uuid[];
BEGIN
  INSERT INTO tasker_tasks (
    named_task_uuid, template_revision_uuid, context, initiator, source_system, reason, tags,
    bypass_steps, options, priority, identity_hash, idempotency_key, request_hash,
    requested_at, correlation_id, parent_correlation_id
  )
  SELECT
    r.named_task_uuid, r.template_revision_uuid, r.context, r.initiator, r.source_system, r.reason,
    r.tags, r.bypass_steps, r.options, r.priority, r.identity_hash, r.idempotency_key,
    r.request_hash, coalesce(r.requested_at, tasker_now()),
    coalesce(r.correlation_id, uuid_generate_v7()), r.parent_correlation_id
  FROM jsonb_to_record(p_task) AS r (
    named_task_uuid uuid, template_revision_uuid uuid, context jsonb, initiator text,
    source_system text, reason text, tags jsonb, bypass_steps jsonb, options jsonb, priority int,
    identity_hash text, idempotency_key text, request_hash text, requested_at timestamptz,
    correlation_id uuid, parent_correlation_id uuid
  )
  ON CONFLICT (identity_hash) DO NOTHING
  RETURNING * INTO v_task;
  IF v_task.task_uuid IS NULL THEN
    RETURN;
  END IF;

  WITH inserted AS (
    INSERT INTO tasker_workflow_steps (
      task_uuid, named_step_uuid, name, step_type, retryable, max_attempts, backoff_strategy,
      backoff_base_ms, max_backoff_ms, timeout_seconds, inputs
    )
    SELECT
      v_task.task_uuid, ns.named_step_uuid, r.name, r.step_type, r.retryable, r.max_attempts,
      r.backoff_strategy, r.backoff_base_ms, r.max_backoff_ms, r.timeout_seconds, r.inputs
    FROM ROWS FROM (
      jsonb_to_recordset(p_steps) AS (
        name text, step_type text, retryable boolean, max_attempts int, backoff_strategy text,
        backoff_base_ms int, max_backoff_ms int, timeout_seconds int, inputs jsonb
      )
    ) WITH ORDINALITY AS r (
      name, step_type, retryable, max_attempts, backoff_strategy, backoff_base_ms, max_backoff_ms,
      timeout_seconds, inputs, place
    )
    JOIN tasker_named_steps AS ns ON ns.name = r.name
    JOIN tasker_named_tasks_named_steps AS link
      ON link.named_step_uuid = ns.named_step_uuid
      AND link.named_task_uuid = v_task.named_task_uuid
    ORDER BY r.place
    RETURNING name, workflow_step_uuid
  )
  SELECT array_agg(i.name), array_agg(i.workflow_step_uuid) INTO v_names, v_steps FROM inserted AS i;
  IF coalesce(array_length(v_steps, 1), 0) <> jsonb_array_length(p_steps) THEN
    RAISE foreign_key_violation
      USING MESSAGE = format(
        'Template %s: %s of its %s steps have a registered step type; run sync_templates',
        v_task.named_task_uuid, coalesce(array_length(v_steps, 1), 0), jsonb_array_length(p_steps)
      );
  END IF;

  INSERT INTO tasker_workflow_step_edges (from_step_uuid, to_step_uuid)
  SELECT parent.step, child.step
  FROM jsonb_array_elements(p_edges) AS e (pair)
  JOIN unnest(v_names, v_steps) AS parent (name, step) ON parent.name = e.pair ->> 0
  JOIN unnest(v_names, v_steps) AS child (name, step) ON child.name = e.pair ->> 1;

  UPDATE tasker_workflow_steps AS s
  SET state = 'resolved_manually'
  FROM unnest(v_names, v_steps) AS x (name, step)
  WHERE s.workflow_step_uuid = x.step
    AND v_task.bypass_steps ? x.name;

  RETURN QUERY SELECT v_task.task_uuid, v_task.created_at, v_task.correlation_id;
END
$$;
