-- Claims handed back at shutdown. Caller: queries/steps.py release_steps.
SELECT * FROM tasker_release_steps(%(claims)s)
