-- A process ends. Caller: queries/processes.py leave.
UPDATE tasker_workers
SET status = 'stopped', stopped_at = tasker_now(), running = 0, updated_at = tasker_now()
WHERE worker_uuid = %(worker_uuid)s
