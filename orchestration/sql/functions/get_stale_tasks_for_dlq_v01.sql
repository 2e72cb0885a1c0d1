-- What the detector would act upon now, the furthest past its limit first: stale, without a pending
-- entry, no result on its way through an orchestrator, and not left alone by its template. A look
-- only; tasker_settle_stale_task judges again under the lock.
CREATE FUNCTION get_stale_tasks_for_dlq(
  p_limit int DEFAULT 100,
  p_deps int DEFAULT 60,
  p_retry int DEFAULT 30,
  p_in_process int DEFAULT 30,
  p_max_lifetime_hours int DEFAULT 0
) RETURNS TABLE (
  task_uuid uuid,
  namespace text,
  name text,
  current_state text,
  time_in_state_minutes numeric,
  threshold_minutes int,
  task_age_minutes numeric,
  max_age_minutes int,
  reason text
)
LANGUAGE sql STABLE
AS $$
  SELECT
    m.task_uuid,
    m.namespace,
    m.name,
    m.state,
    m.minutes_in_state,
    m.threshold_minutes,
    m.age_minutes,
    m.max_age_minutes,
    tasker_staleness_reason(m.task_uuid, m.state, m.namespace)
  FROM (
    SELECT x.*
    FROM tasker_measure_staleness(
      NULL, 1, p_deps, p_retry, p_in_process, p_max_lifetime_hours
    ) AS x
    WHERE x.is_actionable
    ORDER BY x.share DESC, x.task_uuid
    LIMIT p_limit
  ) AS m
  ORDER BY m.share DESC, m.task_uuid
$$;
