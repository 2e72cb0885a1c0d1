-- Takes the lock of purges until the end of the transaction; false when another purge holds it.
SELECT pg_try_advisory_xact_lock(hashtextextended('tasker.purge', 0))
