-- Ready steps of locked tasks go to their queues. Caller: queries/steps.py enqueue_ready_steps.
SELECT * FROM tasker_enqueue_ready_steps(%(task_uuids)s, %(limit)s)
