-- Live messages of locked steps leave their queues. Caller: queries/steps.py delete_messages.
SELECT tasker_delete_step_messages(%(step_uuids)s)
