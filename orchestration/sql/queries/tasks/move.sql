-- Locked tasks move, several hops each. Caller: queries/tasks.py move_tasks.
SELECT tasker_move_tasks(%(task_uuids)s, %(hops)s, %(states)s)
