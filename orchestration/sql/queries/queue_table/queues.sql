-- Every queue of Tasker with its depth and its age, and the counters of PostgreSQL that rates come
-- from. Archived messages are the estimate of the statistics. Caller: queries/queue_table.py.
SELECT
  m.queue_name::text AS name,
  m.queue_length AS depth,
  m.queue_visible_length AS visible,
  m.oldest_msg_age_sec AS oldest_age_seconds,
  coalesce(q.n_tup_ins, 0) AS sent,
  coalesce(q.n_tup_del, 0) AS taken,
  coalesce(a.n_live_tup, 0) AS archived
FROM pgmq.metrics_all() AS m
LEFT JOIN pg_stat_user_tables AS q ON q.schemaname = 'pgmq' AND q.relname = 'q_' || m.queue_name
LEFT JOIN pg_stat_user_tables AS a ON a.schemaname = 'pgmq' AND a.relname = 'a_' || m.queue_name
WHERE m.queue_name = ANY(%(orchestration)s)
  OR m.queue_name IN (SELECT 'worker_' || n.name || '_queue' FROM tasker_task_namespaces AS n)
ORDER BY m.queue_name
