-- A worker takes up to p_limit steps from one queue (tasker_claim_messages) and is given all that their
-- handlers need. Called by queries/steps.py.
-- p_only: only messages that contain this JSON; {} = all.
-- p_taken: steps that the worker has claimed with its reports, in this transaction; they are returned
-- beside the others. With a p_limit of 0 no queue is read.
-- dependency_results: of all ancestors that are done. In a task of more than a hundred steps, of parents
-- with small results only, and has_all_ancestors is false: all of them, or what says how to cut ten
-- thousand batches, for each of its steps would grow with the square of the task. Handlers fetch the
-- rest (get_step_transitive_dependencies).
-- Locks: steps in uuid order, SKIP LOCKED; never tasks.
--
-- Why LATERAL ... OFFSET 0 and state || '', here and in the other functions of the hot path: plans are
-- cached per session, and one made while the tables were small reads a whole index where it should
-- look up a key. A fenced lookup by primary key leaves the planner no choice, whatever the size.
CREATE OR REPLACE FUNCTION tasker_claim_steps(
  p_queue text,
  p_worker uuid,
  p_limit int,
  p_lease_seconds int DEFAULT 30,
  p_only jsonb DEFAULT '{}',
  p_taken uuid[] DEFAULT '{}'
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
  last_attempted_at timestamptz,
  waited_ms float8,
  has_all_ancestors boolean
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  v_claimed uuid[];
  v_waited_ms float8[];
BEGIN
  IF p_limit > 0 THEN
    SELECT array_agg(c.workflow_step_uuid), array_agg(c.waited_ms)
    INTO v_claimed, v_waited_ms
    FROM tasker_claim_messages(p_queue, p_worker, p_limit, p_lease_seconds, p_only) AS c;
  END IF;
  v_claimed := p_taken || v_claimed;
  IF cardinality(v_claimed) = 0 THEN
    RETURN;
  END IF;
  v_waited_ms := array_fill(0::float8, ARRAY[cardinality(p_taken)]) || v_waited_ms;
  RETURN QUERY
    WITH RECURSIVE claimed AS MATERIALIZED (
      SELECT s.*, c.waited_ms
      FROM unnest(v_claimed, v_waited_ms) AS c (step_uuid, waited_ms)
      CROSS JOIN LATERAL (
        SELECT * FROM tasker_workflow_steps AS x WHERE x.workflow_step_uuid = c.step_uuid OFFSET 0
      ) AS s
    ),
    large AS MATERIALIZED (
      SELECT t.task_uuid
      FROM (SELECT DISTINCT c.task_uuid FROM claimed AS c) AS t
      WHERE EXISTS (
        SELECT FROM tasker_workflow_steps AS x WHERE x.task_uuid = t.task_uuid OFFSET 100
      )
    ),
    ancestors AS (
      SELECT
        c.workflow_step_uuid AS step_uuid,
        e.from_step_uuid AS ancestor_uuid,
        c.task_uuid NOT IN (SELECT l.task_uuid FROM large AS l) AS has_all_ancestors
      FROM claimed AS c
      CROSS JOIN LATERAL (
        SELECT x.from_step_uuid
        FROM tasker_workflow_step_edges AS x
        WHERE x.to_step_uuid = c.workflow_step_uuid
        OFFSET 0
      ) AS e
      UNION
      SELECT a.step_uuid, e.from_step_uuid, true
      FROM ancestors AS a
      CROSS JOIN LATERAL (
        SELECT x.from_step_uuid
        FROM tasker_workflow_step_edges AS x
        WHERE x.to_step_uuid = a.ancestor_uuid
        OFFSET 0
      ) AS e
      WHERE a.has_all_ancestors
    ),
    results AS (
      SELECT a.step_uuid, jsonb_object_agg(p.name, p.results) AS by_name
      FROM ancestors AS a
      CROSS JOIN LATERAL (
        SELECT x.name, x.results
        FROM tasker_workflow_steps AS x
        WHERE x.workflow_step_uuid = a.ancestor_uuid
          AND x.state || '' IN ('complete', 'resolved_manually')
          AND x.results IS NOT NULL
          AND (a.has_all_ancestors OR pg_column_size(x.results) <= 2000)
        OFFSET 0
      ) AS p
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
      s.last_attempted_at,
      s.waited_ms,
      s.task_uuid NOT IN (SELECT l.task_uuid FROM large AS l)
    FROM claimed AS s
    CROSS JOIN LATERAL (
      SELECT * FROM tasker_tasks AS x WHERE x.task_uuid = s.task_uuid OFFSET 0
    ) AS t
    JOIN tasker_template_revisions AS tr ON tr.template_revision_uuid = t.template_revision_uuid
    JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = t.named_task_uuid
    JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid
    LEFT JOIN results AS r ON r.step_uuid = s.workflow_step_uuid
    ORDER BY s.queue_msg_id;
END
$$;
