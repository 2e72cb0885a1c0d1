-- Says who moves and why, for the rest of the transaction. Caller: queries/tasks.py announce.
SELECT set_config('tasker.move', %(move)s, true)
