-- Reads up to p_limit messages of a worker queue and moves their steps to in_progress under a lease;
-- answers those steps, and how long each had waited, null where its message was read before. Messages
-- whose step is not to be had are tidied away. The parts of tasker_claim_steps, which calls it.
-- Four separate statements (engine.md L4): a step that the snapshot of a joined read could not see
-- yet would be hidden until its visibility ends.
-- Locks: steps in uuid order, SKIP LOCKED; never tasks.
CREATE OR REPLACE FUNCTION tasker_claim_messages(
  p_queue text,
  p_worker uuid,
  p_limit int,
  p_lease_seconds int,
  p_only jsonb
)
RETURNS TABLE (workflow_step_uuid uuid, waited_ms float8)
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
  v_waited_ms float8[];
  v_claimed uuid[];
  v_claimed_waits float8[];
BEGIN
  SELECT
    array_agg(m.msg_id),
    array_agg(
      CASE
        WHEN m.message ->> 'step_uuid' ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
        THEN (m.message ->> 'step_uuid')::uuid
      END
    ),
    -- A message that was read before waited for its claim to end as well.
    array_agg(
      CASE
        WHEN m.read_ct = 1
        THEN extract(epoch FROM clock_timestamp() - m.enqueued_at)::float8 * 1000
      END
    )
  INTO v_msg_ids, v_step_uuids, v_waited_ms
  FROM tasker_read_messages(p_queue, p_lease_seconds, p_limit, p_only) AS m;
  IF v_msg_ids IS NULL THEN
    RETURN;
  END IF;

  v_now := tasker_now();
  -- A claim has to be on disk before its handler runs, like everything else: one that a crash of the
  -- server takes back would be given out once more under the same state_version, and the report of
  -- the first attempt would pass for the second one's.
  PERFORM set_config('tasker.move', jsonb_build_object('worker_uuid', p_worker)::text, true);
  SELECT coalesce(array_agg(s.workflow_step_uuid), '{}'), array_agg(m.waited_ms)
  INTO v_claimed, v_claimed_waits
  FROM (
    SELECT *
    FROM unnest(v_msg_ids, v_step_uuids, v_waited_ms) AS x (msg_id, step_uuid, waited_ms)
    ORDER BY x.step_uuid
  ) AS m
  CROSS JOIN LATERAL (
    SELECT w.workflow_step_uuid
    FROM tasker_workflow_steps AS w
    WHERE w.workflow_step_uuid = m.step_uuid
      AND w.state || '' = 'enqueued'
      AND w.queue_msg_id = m.msg_id
    FOR NO KEY UPDATE SKIP LOCKED
  ) AS s;
  UPDATE tasker_workflow_steps AS s
  SET
    state = 'in_progress',
    attempts = s.attempts + 1,
    last_attempted_at = v_now,
    claimed_by = p_worker,
    lease_until = v_now + make_interval(secs => p_lease_seconds)
  WHERE s.workflow_step_uuid = ANY(v_claimed);

  IF cardinality(v_claimed) < cardinality(v_msg_ids) THEN
    PERFORM tasker_tidy_unclaimed(p_queue, v_msg_ids, v_step_uuids, v_claimed);
    -- Behind those may be some of which nobody was told: see p_take of tasker_report_steps.
    PERFORM tasker_notify_messages(p_queue, '{}');
  END IF;
  RETURN QUERY SELECT * FROM unnest(v_claimed, v_claimed_waits);
END
$$;
