-- Ready steps of locked tasks go to their queues. Caller: queries/steps.py enqueue_ready_steps.
SELECT task_uuid, workflow_step_uuid, queue_name, msg_id
FROM tasker_enqueue_ready_steps(%(task_uuids)s, %(limit)s, p_done => %(done)s::uuid[])
