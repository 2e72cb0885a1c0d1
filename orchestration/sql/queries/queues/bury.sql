-- A useless message goes to the archive with a DLQ entry. Caller: messaging/pgmq.py bury.
SELECT tasker_bury_message(%(queue)s, %(msg_id)s, %(why)s)
