-- Takes steps back from lost workers. Caller: queries/recovery.py reap_leases.
SELECT * FROM tasker_reap_leases(%(limit)s, %(lock_seconds)s)
