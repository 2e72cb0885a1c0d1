-- How many tasks there are, how many of them went well, and how busy the server is: the columns of
-- get_system_health_counts that a health score needs, without its look at every step.
-- Caller: queries/analytics.py system_load.
SELECT
  count(*) AS total_tasks,
  count(*) FILTER (WHERE t.state = 'complete') AS complete_tasks,
  count(*) FILTER (WHERE t.state = 'error') AS error_tasks,
  (
    SELECT count(*)::int
    FROM pg_stat_activity
    WHERE datname = current_database()
      AND backend_type = 'client backend'
  ) AS active_connections,
  current_setting('max_connections')::int AS max_connections
FROM tasker_tasks AS t
