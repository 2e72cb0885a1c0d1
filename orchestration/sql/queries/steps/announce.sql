-- A queue holds steps of which nobody was told. Caller: queries/steps.py announce_steps.
SELECT tasker_notify_messages(%(queue)s, '{}')
