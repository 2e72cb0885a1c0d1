-- Result messages, taken off the queue, with what deciding needs. Caller: queries/results.py.
SELECT *
FROM tasker_take_results(%(limit)s, %(move)s, %(msg_ids)s, %(task_uuid)s::uuid, %(large)s)
