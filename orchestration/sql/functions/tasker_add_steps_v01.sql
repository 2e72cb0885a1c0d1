-- Adds steps to a running task, with the edges into them; answers the names of those that were not
-- there before. However many: one INSERT for the steps, one for the edges.
-- p_templates: what all steps of one template step share, as in tasker_create_tasks, with its system;
-- each behind its parents. p_steps: [{template_step, name, batch_id, batch_index, batch_count, inputs}],
-- their inputs on top of the shared ones. p_edges: [[parent, child, name]] by template steps: from
-- every instance of the parent, old or new, to every new instance of the child.
-- No cycle can come to be: edges lead to new steps only, and from a new one only to later ones.
-- Called by queries/outcomes.py. Locks: the caller holds the task; nobody sees the new rows yet.
CREATE FUNCTION tasker_add_steps(
  p_task uuid,
  p_origin uuid,
  p_templates jsonb,
  p_steps jsonb,
  p_edges jsonb
)
RETURNS SETOF text
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
SET enable_nestloop = off -- the planner cannot know that there may be ten thousand
AS $$
DECLARE
  v_templates text[];
  v_named uuid[];
  v_names text[];
  v_steps uuid[];
  v_step_types uuid[];
  v_backwards text;
BEGIN
  v_named := tasker_step_types(p_templates);
  v_templates := ARRAY(
    SELECT r.template ->> 'name'
    FROM jsonb_array_elements(p_templates) WITH ORDINALITY AS r (template, place)
    ORDER BY r.place
  );

  SELECT format('%s -> %s', e.edge ->> 0, e.edge ->> 1) INTO v_backwards
  FROM jsonb_array_elements(p_edges) AS e (edge)
  JOIN unnest(v_templates) WITH ORDINALITY AS parent (name, place) ON parent.name = e.edge ->> 0
  JOIN unnest(v_templates) WITH ORDINALITY AS child (name, place) ON child.name = e.edge ->> 1
  WHERE parent.place >= child.place
  LIMIT 1;
  IF v_backwards IS NOT NULL THEN
    RAISE integrity_constraint_violation
      USING MESSAGE = format('Task %s: the edge %s could close a cycle', p_task, v_backwards);
  END IF;

  WITH inserted AS (
    INSERT INTO tasker_workflow_steps (
      task_uuid, named_step_uuid, origin_step_uuid, name, step_type, retryable, max_attempts,
      backoff_strategy, backoff_base_ms, max_backoff_ms, timeout_seconds, inputs, batch_id,
      batch_index, batch_count
    )
    SELECT
      p_task, t.named, p_origin, s.name, t.step_type, t.retryable, t.max_attempts,
      t.backoff_strategy, t.backoff_base_ms, t.max_backoff_ms, t.timeout_seconds,
      CASE WHEN s.inputs IS NULL THEN t.inputs ELSE coalesce(t.inputs, '{}') || s.inputs END,
      s.batch_id, s.batch_index, s.batch_count
    FROM ROWS FROM (
      jsonb_to_recordset(p_steps) AS (
        template_step text, name text, batch_id text, batch_index int, batch_count int, inputs jsonb
      )
    ) WITH ORDINALITY AS s (
      template_step, name, batch_id, batch_index, batch_count, inputs, place
    )
    JOIN ROWS FROM (
      jsonb_to_recordset(p_templates) AS (
        name text, step_type text, retryable boolean, max_attempts int, backoff_strategy text,
        backoff_base_ms int, max_backoff_ms int, timeout_seconds int, inputs jsonb
      ),
      unnest(v_named)
    ) AS t (
      name, step_type, retryable, max_attempts, backoff_strategy, backoff_base_ms, max_backoff_ms,
      timeout_seconds, inputs, named
    ) ON t.name = s.template_step
    ORDER BY s.place
    ON CONFLICT (task_uuid, name) DO NOTHING
    RETURNING name, workflow_step_uuid, named_step_uuid
  )
  SELECT array_agg(i.name), array_agg(i.workflow_step_uuid), array_agg(i.named_step_uuid)
  INTO v_names, v_steps, v_step_types
  FROM inserted AS i;

  INSERT INTO tasker_workflow_step_edges (from_step_uuid, to_step_uuid, name)
  SELECT parent.step, child.step, e.edge ->> 2
  FROM jsonb_array_elements(p_edges) AS e (edge)
  JOIN (
    SELECT
      s.workflow_step_uuid AS step,
      (SELECT ns.name FROM tasker_named_steps AS ns WHERE ns.named_step_uuid = s.named_step_uuid)
        AS template_step
    FROM tasker_workflow_steps AS s
    WHERE s.task_uuid = p_task
  ) AS parent ON parent.template_step = e.edge ->> 0
  JOIN (
    SELECT c.step, n.template_step
    FROM unnest(v_steps, v_step_types) AS c (step, named)
    JOIN unnest(v_templates, v_named) AS n (template_step, named) ON n.named = c.named
  ) AS child ON child.template_step = e.edge ->> 1
  ON CONFLICT (from_step_uuid, to_step_uuid, name) DO NOTHING;

  RETURN QUERY SELECT unnest(v_names);
END
$$;
