-- Whether a namespace is backlogged. Caller: queries/tasks.py is_closed.
SELECT tasker_is_closed(%(namespace)s, %(high_water)s)
