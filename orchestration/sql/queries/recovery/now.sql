-- The engine's clock. Caller: queries/recovery.py engine_now.
SELECT tasker_now()
