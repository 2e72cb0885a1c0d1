-- Depth and age of a queue. Caller: messaging/pgmq.py metrics (costs 13 ms at 200,000 rows).
SELECT
  queue_length AS depth,
  queue_visible_length AS visible,
  oldest_msg_age_sec AS oldest_age_seconds,
  total_messages AS total_sent
FROM pgmq.metrics(%(queue)s)
