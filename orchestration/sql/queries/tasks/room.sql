-- How many messages a namespace's queue has room for. Caller: queries/tasks.py queue_room.
SELECT %(high_water)s::int - tasker_count_messages('worker_' || %(namespace)s || '_queue', %(high_water)s)
