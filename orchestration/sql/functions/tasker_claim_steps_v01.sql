-- A worker takes up to p_limit steps from one queue: reads messages, moves their steps to
-- in_progress under a lease, and returns all that a handler needs. Called by queries/steps.py.
-- Four separate statements (engine.md L4): a step that the snapshot of a joined read could not see
-- yet would be hidden until its visibility ends.
-- Locks: steps in uuid order, SKIP LOCKED; never tasks.
CREATE OR REPLACE FUNCTION tasker_claim_steps(
  p_queue text,
  p_worker uuid,
  p_limit int,
  p_lease_seconds int DEFAULT 30
)
RETURNS TABLE (
  msg_id bigint,
  workflow_step_uuid uuid,
  task_uuid uuid,
  state_version int,
  attempts int,
  max_attempts int,
  retryable boolean,
  lease_until timestamptz,
  name varchar,
  template_step_name text,
  step_type varchar,
  timeout_seconds int,
  inputs jsonb,
  checkpoint jsonb,
  batch_id varchar,
  batch_index int,
  batch_count int,
  named_task_uuid uuid,
  named_step_uuid uuid,
  template_digest varchar,
  namespace varchar,
  task_name varchar,
  task_version varchar,
  context jsonb,
  tags jsonb,
  priority int,
  initiator varchar,
  source_system varchar,
  reason varchar,
  correlation_id uuid,
  parent_correlation_id uuid,
  task_created_at timestamptz,
  dependency_results jsonb,
  last_attempted_at timestamptz
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_now timestamptz;
  v_msg_ids bigint[];
  v_step_uuids uuid[];
  v_claimed uuid[];
BEGIN
  SELECT
    array_agg(m.msg_id),
    array_agg(
      CASE
        WHEN m.message ->> 'step_uuid' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
        THEN (m.message ->> 'step_uuid')::uuid
      END
    )
  INTO v_msg_ids, v_step_uuids
  FROM pgmq.read(p_queue, p_lease_seconds, p_limit) AS m;
  IF v_msg_ids IS NULL THEN
    RETURN;
  END IF;

  v_now := tasker_now();
  PERFORM set_config('tasker.move', jsonb_build_object('worker_uuid', p_worker)::text, true);
  WITH wanted AS MATERIALIZED (
    SELECT s.workflow_step_uuid
    FROM unnest(v_msg_ids, v_step_uuids) AS m (msg_id, step_uuid)
    JOIN tasker_workflow_steps AS s
      ON s.workflow_step_uuid = m.step_uuid
      AND s.state = 'enqueued'
      AND s.queue_msg_id = m.msg_id
    ORDER BY s.workflow_step_uuid
    FOR NO KEY UPDATE OF s SKIP LOCKED
  ),
  claimed AS (
    UPDATE tasker_workflow_steps AS s
    SET
      state = 'in_progress',
      attempts = s.attempts + 1,
      last_attempted_at = v_now,
      claimed_by = p_worker,
      lease_until = v_now + make_interval(secs => p_lease_seconds)
    FROM wanted
    WHERE s.workflow_step_uuid = wanted.workflow_step_uuid
    RETURNING s.workflow_step_uuid
  )
  SELECT array_agg(c.workflow_step_uuid) INTO v_claimed FROM claimed AS c;

  IF coalesce(array_length(v_claimed, 1), 0) < array_length(v_msg_ids, 1) THEN
    PERFORM tasker_tidy_unclaimed(p_queue, v_msg_ids, v_step_uuids, v_claimed);
  END IF;

  RETURN QUERY
    WITH RECURSIVE ancestors AS (
      SELECT e.to_step_uuid AS step_uuid, e.from_step_uuid AS ancestor_uuid
      FROM tasker_workflow_step_edges AS e
      WHERE e.to_step_uuid = ANY(v_claimed)
      UNION
      SELECT a.step_uuid, e.from_step_uuid
      FROM ancestors AS a
      JOIN tasker_workflow_step_edges AS e ON e.to_step_uuid = a.ancestor_uuid
    ),
    results AS (
      SELECT a.step_uuid, jsonb_object_agg(p.name, p.results) AS by_name
      FROM ancestors AS a
      JOIN tasker_workflow_steps AS p ON p.workflow_step_uuid = a.ancestor_uuid
      WHERE p.state IN ('complete', 'resolved_manually')
        AND p.results IS NOT NULL
      GROUP BY a.step_uuid
    )
    SELECT
      s.queue_msg_id,
      s.workflow_step_uuid,
      s.task_uuid,
      s.state_version,
      s.attempts,
      s.max_attempts,
      s.retryable,
      s.lease_until,
      s.name,
      coalesce(s.inputs ->> '__template_step_name', s.name),
      s.step_type,
      s.timeout_seconds,
      s.inputs,
      s.checkpoint,
      s.batch_id,
      s.batch_index,
      s.batch_count,
      t.named_task_uuid,
      s.named_step_uuid,
      tr.digest,
      n.name,
      nt.name,
      nt.version,
      t.context,
      t.tags,
      t.priority,
      t.initiator,
      t.source_system,
      t.reason,
      t.correlation_id,
      t.parent_correlation_id,
      t.created_at,
      coalesce(r.by_name, '{}'),
      s.last_attempted_at
    FROM tasker_workflow_steps AS s
    JOIN tasker_tasks AS t ON t.task_uuid = s.task_uuid
    JOIN tasker_template_revisions AS tr ON tr.template_revision_uuid = t.template_revision_uuid
    JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
    JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
    LEFT JOIN results AS r ON r.step_uuid = s.workflow_step_uuid
    WHERE s.workflow_step_uuid = ANY(v_claimed)
    ORDER BY s.queue_msg_id;
END
$$;
