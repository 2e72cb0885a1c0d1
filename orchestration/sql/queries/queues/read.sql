-- Messages, invisible to others for a while. Caller: messaging/pgmq.py read.
SELECT msg_id, read_ct, enqueued_at, message AS body
FROM tasker_read_messages(%(queue)s, %(visibility_seconds)s, %(limit)s, %(only)s::jsonb)
