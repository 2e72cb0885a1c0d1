-- The next message, removed; a rollback brings it back. Caller: messaging/pgmq.py take.
SELECT msg_id, read_ct, enqueued_at, message AS body FROM pgmq.pop(%(queue)s)
