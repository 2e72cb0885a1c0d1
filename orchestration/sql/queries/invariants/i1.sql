-- I1: the history of a row is complete: versions 1, 2, 3 …, each from the state before, the last one
-- the present state; and there is no history without its row, which no foreign key would refuse.
-- Caller: queries.invariants.violations
WITH hops AS (
  SELECT
    h.task_uuid AS object_uuid,
    h.sort_key,
    h.to_state,
    h.from_state IS NOT DISTINCT FROM lag(h.to_state) OVER mine AS continues
  FROM tasker_task_transitions AS h
  WINDOW mine AS (PARTITION BY h.task_uuid ORDER BY h.sort_key)
  UNION ALL
  SELECT
    h.workflow_step_uuid,
    h.sort_key,
    h.to_state,
    h.from_state IS NOT DISTINCT FROM lag(h.to_state) OVER mine
  FROM tasker_workflow_step_transitions AS h
  WINDOW mine AS (PARTITION BY h.workflow_step_uuid ORDER BY h.sort_key)
),
histories AS (
  SELECT
    object_uuid,
    count(*) AS hop_count,
    max(sort_key) AS last_key,
    (array_agg(to_state ORDER BY sort_key DESC))[1] AS last_state,
    bool_and(continues) AS continues
  FROM hops
  GROUP BY object_uuid
),
objects AS (
  SELECT t.task_uuid AS object_uuid, t.state, t.state_version FROM tasker_tasks AS t
  UNION ALL
  SELECT s.workflow_step_uuid, s.state, s.state_version FROM tasker_workflow_steps AS s
)
SELECT
  object_uuid,
  format(
    'state %%s, version %%s; history: %%s rows, last %%s %%s, continuous: %%s',
    o.state, o.state_version, coalesce(h.hop_count, 0), h.last_key, h.last_state, h.continues
  ) AS detail
FROM objects AS o
FULL JOIN histories AS h USING (object_uuid)
WHERE (h.hop_count, h.last_key, h.last_state, h.continues)
  IS DISTINCT FROM (o.state_version::bigint, o.state_version, o.state, true);
