-- One message by id, if it is visible. Caller: messaging/pgmq.py read_one.
SELECT msg_id, read_ct, enqueued_at, message AS body
FROM (SELECT * FROM pgmq_read_specific_message(%(queue)s, %(msg_id)s, %(visibility_seconds)s)) AS m
