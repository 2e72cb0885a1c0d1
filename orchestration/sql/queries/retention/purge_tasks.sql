-- Finished tasks older than a limit go, with everything that hangs on them.
SELECT
  p.tasks,
  p.steps,
  p.edges,
  p.task_transitions,
  p.step_transitions,
  p.result_audit,
  p.annotations,
  p.detached_entries
FROM tasker_purge_tasks(tasker_now() - make_interval(secs => %(age_seconds)s), %(limit)s) AS p
