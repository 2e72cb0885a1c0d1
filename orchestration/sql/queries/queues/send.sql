-- One message with its notifications. Caller: messaging/pgmq.py send.
SELECT pgmq_send_with_notify(%(queue)s, %(message)s, %(delay_seconds)s)
