-- How many unfinished tasks are in each state, and for how long.
CREATE VIEW tasker_task_state_analysis AS
SELECT
  m.state,
  count(*) AS task_count,
  round(avg(m.minutes), 2) AS avg_minutes_in_state,
  round(max(m.minutes), 2) AS max_minutes_in_state
FROM (
  SELECT
    t.state,
    (extract(epoch FROM clock.moment - t.state_entered_at) / 60)::numeric AS minutes
  FROM tasker_tasks AS t
  CROSS JOIN (SELECT tasker_now() AS moment) AS clock
  WHERE t.state NOT IN ('complete', 'error', 'cancelled', 'resolved_manually')
) AS m
GROUP BY m.state;
