-- Unfinished tasks by state, counted up to a limit, and the longest time that one of these has been in
-- it; the states are named, as the partial index that serves this is. Caller: queries/gauges.py.
SELECT
  s.state,
  c.tasks,
  coalesce(extract(epoch FROM tasker_now() - c.since), 0)::double precision AS oldest_seconds
FROM unnest(ARRAY[
  'pending', 'initializing', 'enqueuing_steps', 'steps_in_process', 'evaluating_results',
  'waiting_for_dependencies', 'waiting_for_retry', 'blocked_by_failures'
]) AS s (state)
CROSS JOIN LATERAL (
  SELECT count(*) AS tasks, min(x.state_entered_at) AS since
  FROM (
    SELECT t.state_entered_at
    FROM tasker_tasks AS t
    WHERE t.state IN (
      'pending', 'initializing', 'enqueuing_steps', 'steps_in_process', 'evaluating_results',
      'waiting_for_dependencies', 'waiting_for_retry', 'blocked_by_failures'
    )
      AND t.state = s.state
    ORDER BY t.created_at
    LIMIT %(limit)s::int
  ) AS x
) AS c
