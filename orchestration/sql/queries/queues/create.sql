-- A queue, if it is absent. Caller: messaging/pgmq.py create_queue.
SELECT pgmq_create_queue_with_notify(%(queue)s)
