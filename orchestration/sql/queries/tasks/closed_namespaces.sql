-- The backlogged namespaces. Caller: queries/tasks.py closed_namespaces.
SELECT name FROM tasker_task_namespaces WHERE tasker_is_closed(name, %(high_water)s)
