-- Messages that were lost by hand are sent again. Caller: queries/recovery.py repair_messages.
SELECT * FROM tasker_repair_messages(%(stranded_seconds)s, %(limit)s)
