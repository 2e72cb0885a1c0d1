-- How much there is, how much of it went well, and how busy the server is.
-- Caller: queries/analytics.py system_load.
SELECT
  c.total_tasks,
  c.complete_tasks,
  c.error_tasks,
  c.active_connections,
  c.max_connections
FROM get_system_health_counts() AS c
