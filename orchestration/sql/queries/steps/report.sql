-- Results of handlers. Caller: queries/steps.py report_steps.
SELECT * FROM tasker_report_steps(%(reports)s, %(advance)s, %(take)s, %(lease_seconds)s)
