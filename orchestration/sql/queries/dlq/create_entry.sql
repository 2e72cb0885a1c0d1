-- Opens an investigation; null when the task has a pending one. Caller: queries/dlq.py.
SELECT create_dlq_entry(%(task_uuid)s, %(reason)s, %(metadata)s)
