-- How late the engine is. Caller: queries/pressure.py orchestration_lag.
SELECT greatest(
  tasker_queue_lag('orchestration_step_results'),
  tasker_queue_lag('orchestration_task_requests')
)
