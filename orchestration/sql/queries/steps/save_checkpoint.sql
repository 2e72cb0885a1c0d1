-- Progress of a handler. Caller: queries/steps.py save_checkpoint.
SELECT tasker_save_checkpoint(%(step_uuid)s, %(state_version)s, %(checkpoint)s, %(lease_seconds)s)
