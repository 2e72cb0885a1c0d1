-- Depth and age of a queue. Caller: messaging/pgmq.py metrics (costs 13 ms at 200,000 rows).
SELECT queue_length, queue_visible_length, oldest_msg_age_sec, total_messages
FROM pgmq.metrics(%(queue)s)
