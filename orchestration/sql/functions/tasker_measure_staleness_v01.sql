-- How far unfinished tasks are on their way to counting as stale, and what may then be done. The one
-- measure behind the detector, the monitoring view and the API. p_tasks: these tasks, null = all;
-- p_share: leave out, without a look at their steps, those that cannot have reached that share of a
-- limit (1 = stale). p_max_lifetime_hours: 0 = no limit but the template's.
-- Time in state counts from the entry, but
--   steps_in_process: from the latest sign of life. A step's move is one, and so is a lease, for as
--     long as it lives or lived: when an outage ends, leases have ended just now, not hours ago;
--   waiting_for_retry: not before the earliest due time.
-- A task that only gets an entry gets one for each stay in its state: a person who closed it has
-- looked, and is not asked again every five minutes.
-- The age counts from creation, whatever lives. Limits and actions come from the revision that the
-- task runs, read once for each revision and state.
CREATE FUNCTION tasker_measure_staleness(
  p_tasks uuid[],
  p_share numeric,
  p_deps int,
  p_retry int,
  p_in_process int,
  p_max_lifetime_hours int
) RETURNS TABLE (
  task_uuid uuid,
  namespace text,
  name text,
  state text,
  minutes_in_state numeric,
  threshold_minutes int,
  age_minutes numeric,
  max_age_minutes int,
  share numeric,
  may_fail boolean,
  may_enter boolean,
  is_reported boolean,
  is_actionable boolean
)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  moment timestamptz := tasker_now();
BEGIN
  IF p_tasks IS NULL THEN
    p_tasks := ARRAY(
      SELECT t.task_uuid
      FROM tasker_tasks AS t
      WHERE t.state IN (
        'pending', 'initializing', 'enqueuing_steps', 'steps_in_process', 'evaluating_results',
        'waiting_for_dependencies', 'waiting_for_retry', 'blocked_by_failures'
      )
    );
  END IF;
  RETURN QUERY
  WITH unfinished AS MATERIALIZED (
    SELECT
      t.*,
      extract(epoch FROM moment - t.created_at) / 60 AS age
    FROM unnest(p_tasks) AS wanted (task_uuid)
    CROSS JOIN LATERAL (
      SELECT
        x.task_uuid, x.named_task_uuid, x.template_revision_uuid, x.state, x.state_entered_at,
        x.created_at
      FROM tasker_tasks AS x
      WHERE x.task_uuid = wanted.task_uuid
      OFFSET 0
    ) AS t
    WHERE t.state NOT IN ('complete', 'error', 'cancelled', 'resolved_manually')
  ),
  rules AS MATERIALIZED (
    SELECT
      kind.template_revision_uuid,
      kind.state,
      calculate_staleness_threshold(kind.state, r.configuration, p_deps, p_retry, p_in_process)
        AS threshold,
      coalesce(
        (r.lifecycle ->> 'max_duration_minutes')::int, nullif(p_max_lifetime_hours, 0) * 60
      ) AS max_age,
      kind.state NOT IN ('pending', 'blocked_by_failures') AND coalesce(
        (r.lifecycle ->> 'auto_fail_on_timeout')::boolean,
        coalesce(r.lifecycle ->> 'staleness_action', 'dlq') <> 'none'
      ) AS may_fail,
      coalesce(
        (r.lifecycle ->> 'auto_dlq_on_timeout')::boolean,
        coalesce(r.lifecycle ->> 'staleness_action', 'dlq') = 'dlq'
      ) AS may_enter
    FROM (SELECT DISTINCT u.template_revision_uuid, u.state FROM unfinished AS u) AS kind
    CROSS JOIN LATERAL (
      SELECT x.configuration, x.configuration -> 'lifecycle' AS lifecycle
      FROM tasker_template_revisions AS x
      WHERE x.template_revision_uuid = kind.template_revision_uuid
      OFFSET 0
    ) AS r
  ),
  near AS MATERIALIZED (
    SELECT u.*, rules.threshold, rules.max_age, rules.may_fail, rules.may_enter
    FROM unfinished AS u
    JOIN rules USING (template_revision_uuid, state)
    WHERE extract(epoch FROM moment - u.state_entered_at) / 60 >= p_share * rules.threshold
      OR u.age >= p_share * rules.max_age
      OR p_share = 0
  ),
  measured AS (
    SELECT
      near.*,
      greatest(
        extract(
          epoch FROM moment - greatest(
            near.state_entered_at,
            CASE near.state
              WHEN 'steps_in_process' THEN f.last_life
              WHEN 'waiting_for_retry' THEN f.earliest_due
            END
          )
        ) / 60,
        0
      ) AS minutes,
      f.is_reported
    FROM near
    CROSS JOIN LATERAL (
      SELECT
        max(
          CASE
            WHEN s.state = 'waiting_for_retry' THEN NULL
            WHEN s.lease_until IS NULL THEN s.state_entered_at
            ELSE greatest(s.state_entered_at, least(s.lease_until, moment))
          END
        ) AS last_life,
        min(s.next_retry_at) AS earliest_due,
        coalesce(
          bool_or(
            s.state IN ('enqueued_for_orchestration', 'enqueued_as_error_for_orchestration')
          ),
          false
        ) AS is_reported
      FROM tasker_workflow_steps AS s
      WHERE s.task_uuid = near.task_uuid
        AND s.state IN (
          'enqueued', 'in_progress', 'enqueued_for_orchestration',
          'enqueued_as_error_for_orchestration', 'waiting_for_retry'
        )
    ) AS f
  ),
  shared AS (
    SELECT
      m.*,
      -- A limit of 0 is reached at once.
      greatest(
        coalesce(m.minutes / nullif(m.threshold, 0), 1), m.age / nullif(m.max_age, 0)
      ) AS share
    FROM measured AS m
  )
  SELECT
    s.task_uuid,
    n.name::text,
    nt.name::text,
    s.state::text,
    round(s.minutes, 2),
    s.threshold,
    round(s.age, 2),
    s.max_age,
    s.share,
    s.may_fail,
    s.may_enter,
    s.is_reported,
    s.share >= 1
      AND (s.may_fail OR s.may_enter)
      AND NOT s.is_reported
      AND NOT EXISTS (
        SELECT
        FROM tasker_tasks_dlq AS d
        WHERE d.task_uuid = s.task_uuid
          AND (
            d.resolution_status = 'pending'
            OR (NOT s.may_fail AND d.dlq_timestamp >= s.state_entered_at)
          )
      )
  FROM shared AS s
  JOIN tasker_named_tasks AS nt ON nt.named_task_uuid = s.named_task_uuid
  JOIN tasker_task_namespaces AS n ON n.task_namespace_uuid = nt.task_namespace_uuid;
END
$$;
