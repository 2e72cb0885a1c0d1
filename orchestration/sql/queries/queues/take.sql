-- The next message, removed; a rollback brings it back. Caller: messaging/pgmq.py take.
SELECT msg_id, read_ct, enqueued_at, message FROM pgmq.pop(%(queue)s)
