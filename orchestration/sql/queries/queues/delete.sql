-- Messages are done. Caller: messaging/pgmq.py delete.
SELECT count(*) FROM pgmq.delete(%(queue)s, %(msg_ids)s::bigint[])
