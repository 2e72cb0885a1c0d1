-- The oldest messages of a queue, untouched. Caller: queries/queue_table.py peek.
SELECT p.msg_id, p.read_ct, p.enqueued_at, p.visible_at, p.message
FROM tasker_peek_messages(%(queue)s, %(limit)s::int) AS p
