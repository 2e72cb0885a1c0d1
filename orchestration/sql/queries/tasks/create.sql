-- A new task with its steps and edges; no row when its identity is taken. Caller: queries/tasks.py.
SELECT * FROM tasker_create_task(%(task)s, %(steps)s, %(edges)s)
