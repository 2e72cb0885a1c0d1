-- A message becomes visible in so many seconds. Caller: messaging/pgmq.py set_visibility.
SELECT count(*) FROM pgmq.set_vt(%(queue)s, %(msg_id)s::bigint, %(seconds)s::int)
